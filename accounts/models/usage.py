"""What each key did on each day."""

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import models, transaction
from django.db.models import F

from .api_keys import ApiKey


class KeyUsageQuerySet(models.QuerySet["KeyUsage"]):
    def add(self, counts: Mapping[tuple[int, date], Mapping[str, int]]) -> None:
        """Add to the rows of (key, day). Keys that are gone are left out."""
        known = set(ApiKey.objects.filter(pk__in={key_id for key_id, _ in counts}).values_list("pk", flat=True))
        days = sorted(each for each in counts if each[0] in known)  # in one order, as others add, too
        with transaction.atomic():
            rows = [KeyUsage(key_id=key_id, day=day) for key_id, day in days]
            self.bulk_create(rows, ignore_conflicts=True)
            for key_id, day in days:
                added = {name: F(name) + number for name, number in counts[key_id, day].items()}
                self.filter(key=key_id, day=day).update(**added)

    def of(self, keys: Iterable[ApiKey], since: date) -> "list[KeyUsage]":
        return list(self.filter(key__in=list(keys), day__gte=since).select_related("key").order_by("-day", "key"))


class KeyUsage(models.Model):
    """Counts of one key on one day (UTC). `pixels` are those of results."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="usage")
    day = models.DateField()
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    jobs = models.PositiveBigIntegerField(default=0)
    pixels = models.PositiveBigIntegerField(default=0)

    objects = KeyUsageQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "key usage"
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="usage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.key} on {self.day}"
