from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def take_mode_of_job(apps, schema_editor):
    keys = apps.get_model("processing", "IdempotencyKey").objects
    job = apps.get_model("processing", "Job").objects.filter(pk=OuterRef("job_id"))
    keys.update(mode=Subquery(job.values("mode")[:1]))


class Migration(migrations.Migration):
    """The mode has a default of the database, so that the version before can go on writing rows."""

    dependencies = [("processing", "0009_found_among_many")]

    operations = [
        migrations.AddField(
            model_name="idempotencykey",
            name="mode",
            field=models.CharField(choices=[("live", "Live"), ("test", "Test")], db_default="live", max_length=4),
        ),
        migrations.RunPython(take_mode_of_job, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="idempotencykey", name="idempotency_key_once"),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(fields=("account", "mode", "key"), name="idempotency_key_once"),
        ),
    ]
