from django.db import migrations

SEEN = {
    "processing": ["job", "jobevent", "webhookdelivery", "webhookattempt", "webhookreceiver"],
    "accounts": ["account", "apikey", "keyusage"],
}
CHANGED = {"processing": ["job", "webhookdelivery", "webhookreceiver"], "accounts": ["account", "apikey"]}
ADDED = {"accounts": ["account", "apikey"]}


def permissions(apps, action, models_of):
    """Django writes permissions only after all migrations, and leaves those alone that are there already."""
    kinds, rows = apps.get_model("contenttypes", "ContentType").objects, apps.get_model("auth", "Permission").objects
    for app, names in models_of.items():
        for name in names:
            kind, _ = kinds.get_or_create(app_label=app, model=name)
            title = apps.get_model(app, name)._meta.verbose_name
            yield rows.get_or_create(
                content_type=kind, codename=f"{action}_{name}", defaults={"name": f"Can {action} {title}"}
            )[0]


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    viewers, _ = groups.get_or_create(name="Viewers")
    operators, _ = groups.get_or_create(name="Operators")
    seen = list(permissions(apps, "view", SEEN))
    viewers.permissions.add(*seen)
    operators.permissions.add(*seen, *permissions(apps, "change", CHANGED), *permissions(apps, "add", ADDED))


class Migration(migrations.Migration):
    """Viewers see jobs, webhooks, accounts and keys. Operators act on them, too."""

    dependencies = [
        ("accounts", "0003_restricted_keys_limits_and_usage"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("processing", "0011_what_staff_look_for"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
