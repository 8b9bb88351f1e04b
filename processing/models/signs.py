"""Signs of life: when each part of the service was last at work."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now


class SignQuerySet(models.QuerySet["Sign"]):
    def give(self, name: str) -> None:
        """Note that this part is at work, by the database's clock."""
        self.update_or_create(name=name, defaults={"at": Now()})

    def latest_of(self, name: str) -> datetime | None:
        """When this part last gave a sign; None if it never did."""
        return self.filter(name=name).values_list("at", flat=True).first()

    def ages(self) -> dict[str, float]:
        """Seconds since each part's last sign, by the database's clock."""
        aged = self.annotate(age=ExpressionWrapper(Now() - F("at"), DurationField()))
        return {name: age.total_seconds() for name, age in aged.values_list("name", "age")}

    def older_than(self, age: timedelta) -> Self:
        return self.filter(at__lt=Now() - age)


class Sign(models.Model):
    """One part of the service: `sweep`, or a worker by its name."""

    name = models.CharField(primary_key=True, max_length=200)
    at = models.DateTimeField()

    objects = SignQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
