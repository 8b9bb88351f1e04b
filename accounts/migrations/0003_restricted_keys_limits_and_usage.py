from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F

import accounts.models.accounts


def note_rolls(apps, schema_editor):
    """Until now only rolled keys had an end, a day after they were rolled."""
    keys = apps.get_model("accounts", "ApiKey").objects.filter(expires_at__isnull=False)
    keys.update(rolled_at=F("expires_at") - timedelta(hours=24))


class Migration(migrations.Migration):
    """The version before can go on writing rows."""

    dependencies = [("accounts", "0002_sealed_webhook_secrets")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="own_limits",
            field=models.JSONField(
                blank=True,
                help_text='Of plan Enterprise only: limits that differ from those of the plan, such as {"queued_jobs": 9000}.',
                null=True,
                validators=[accounts.models.accounts.check_own_limits],
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rolled_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="scope",
            field=models.CharField(
                choices=[("all", "Everything"), ("read", "Reading only"), ("process", "Processing only")],
                db_default="all",
                default="all",
                max_length=7,
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="KeyUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("requests", models.PositiveBigIntegerField(default=0)),
                ("errors", models.PositiveBigIntegerField(default=0)),
                ("jobs", models.PositiveBigIntegerField(default=0)),
                ("pixels", models.PositiveBigIntegerField(default=0)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage", to="accounts.apikey"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "key usage",
                "constraints": [models.UniqueConstraint(fields=("key", "day"), name="usage_once_a_day")],
            },
        ),
        migrations.RunPython(note_rolls, migrations.RunPython.noop),
    ]
