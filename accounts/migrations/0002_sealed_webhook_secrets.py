from django.db import migrations, models

import accounts.models
from accounts.sealing import seal, unseal

_PLAIN = "whsec_"


def seal_all(apps, schema_editor):
    for account in apps.get_model("accounts", "Account").objects.filter(sealed_webhook_secret__startswith=_PLAIN):
        account.sealed_webhook_secret = seal(account.sealed_webhook_secret)
        account.save(update_fields=["sealed_webhook_secret"])


def unseal_all(apps, schema_editor):
    for account in apps.get_model("accounts", "Account").objects.exclude(sealed_webhook_secret__startswith=_PLAIN):
        account.sealed_webhook_secret = unseal(account.sealed_webhook_secret)
        account.save(update_fields=["sealed_webhook_secret"])


class Migration(migrations.Migration):
    """The column keeps its name and place. What signs with it must be of the version that can unseal it."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="webhook_secret",
            field=models.TextField(db_column="webhook_secret", editable=False),
        ),
        migrations.RenameField(model_name="account", old_name="webhook_secret", new_name="sealed_webhook_secret"),
        migrations.AlterField(
            model_name="account",
            name="sealed_webhook_secret",
            field=models.TextField(
                db_column="webhook_secret", default=accounts.models.new_sealed_webhook_secret, editable=False
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="sealed_webhook_secret_before",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="webhook_secret_rolled_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(seal_all, unseal_all),
    ]
