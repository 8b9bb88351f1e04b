"""What happened to a job after its submit, line by line."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

# Every job that goes well has these; submit, of earlier versions. The rest is rare, so that its index by time stays
# small. One condition for each verb, because SQLite does not see that a query with NOT IN may use the index.
OUT_OF_THE_ORDINARY = ~Q(verb="submit") & ~Q(verb="claim") & ~Q(verb="complete") & ~Q(verb="expire")


class JobEvent(models.Model):
    """One line of a job's timeline, written in the transaction of what it reports. A submit writes none."""

    job = models.ForeignKey("processing.Job", on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    verb = models.CharField(max_length=20)
    attempt = models.PositiveIntegerField()
    progress = models.PositiveSmallIntegerField(null=True)  # null: written before this was kept
    note = models.CharField(max_length=500, blank=True)
    # For staff only: who did it, and inside of the service.
    actor = models.CharField(max_length=150, blank=True)
    worker = models.CharField(max_length=255, blank=True, db_default="")  # that claimed it
    traceback = models.TextField(blank=True, db_default="")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="events_of_trouble", condition=OUT_OF_THE_ORDINARY)]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.verb}"
