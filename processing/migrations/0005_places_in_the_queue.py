from typing import Any

from django.db import migrations
from django.db.models import F


def keep_files_and_places(apps: Any, schema_editor: Any) -> None:
    """Files lie under the number of their attempt, which is that of the claim from now on. The queue keeps its order."""
    jobs = apps.get_model("processing", "Job").objects
    jobs.update(claims=F("attempt"), attempt_started_at=F("started_at"))
    queued = jobs.filter(status="queued").order_by("created_at", "id").values_list("pk", flat=True)
    for turn, pk in enumerate(queued.iterator(), start=1):
        jobs.filter(pk=pk).update(turn=turn)


class Migration(migrations.Migration):
    dependencies = [("processing", "0004_fair_queue")]

    operations = [migrations.RunPython(keep_files_and_places, migrations.RunPython.noop)]
