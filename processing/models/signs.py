"""Signs of life: when each part of the service was last at work."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Case, DurationField, ExpressionWrapper, F, Sum, When
from django.db.models.functions import Now

from .clock import from_now

# Some signs may go missing.
_ALIVE = timedelta(seconds=60)


class SignQuerySet(models.QuerySet["Sign"]):
    def give(self, name: str, gap: timedelta = timedelta(seconds=60), processes: int = 0) -> None:
        """Note that this part is at work, by the database's clock. After a longer `gap` it counts as come anew."""
        came_anew = When(at__lt=from_now(-gap), then=Now())
        since = Case(came_anew, default=F("since"))
        if not self.filter(name=name).update(since=since, at=Now(), processes=processes):
            self.update_or_create(name=name, defaults={"at": Now(), "since": Now(), "processes": processes})

    def latest_of(self, name: str) -> datetime | None:
        """The time of this part's last sign; None if there is none."""
        return self.filter(name=name).values_list("at", flat=True).first()

    def is_steady(self, name: str, span: timedelta) -> bool:
        """Whether this part has given signs for so long without a gap."""
        return self.filter(name=name, since__lte=from_now(-span)).exists()

    def processes(self) -> int:
        """How many jobs the workers that live can work on at once."""
        alive = self.filter(at__gte=from_now(-_ALIVE))
        return int(alive.aggregate(sum=Sum("processes", default=0))["sum"])

    def ages(self) -> dict[str, float]:
        """Seconds since each part's last sign, by the database's clock."""
        aged = self.annotate(age=ExpressionWrapper(Now() - F("at"), DurationField()))
        return {name: age.total_seconds() for name, age in aged.values_list("name", "age")}

    def older_than(self, age: timedelta) -> Self:
        return self.filter(at__lt=Now() - age)


class Sign(models.Model):
    """One part of the service: `sweep`, or a worker by its name."""

    name = models.CharField(primary_key=True, max_length=200)
    since = models.DateTimeField()  # the first of its signs without a gap between them
    at = models.DateTimeField()
    processes = models.PositiveIntegerField(db_default=0)  # that take jobs

    objects = SignQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
