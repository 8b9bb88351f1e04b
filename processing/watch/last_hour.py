"""What happened in the last hour, by the database's clock. Every query reads that hour's rows only, by an index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now

from ..models import Job, JobEvent, WebhookDelivery
from ..models.events import OUT_OF_THE_ORDINARY
from ..models.status import DeliveryStatus, Status

_HOUR = timedelta(hours=1)
# Of an hour with more jobs, only the newest are measured: quantiles need no more.
_MOST_MEASURED = 5_000
_MOST_REASONS = 50
# Notes and codes that mean that a lease ran out.
_LEASE_LOST = ("the worker was lost", "WORKER_LOST")


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """How often each verb out of the ordinary happened, by (verb, reason)."""

    counts: Mapping[tuple[str, str], int]

    @property
    def leases_lost(self) -> int:
        return sum(count for (_, reason), count in self.counts.items() if reason in _LEASE_LOST)


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """How long completed jobs of one operation took: median, 95th and 99th percentile in seconds.

    `part` is `wait` (from submit to the last claim), `run` (from there to the end) or `total`.
    """

    operation: str
    part: str
    by_quantile: Mapping[str, float]


def finished_jobs() -> dict[tuple[str, str], int]:
    """Jobs that ended, by (status, operation)."""
    rows = _finished().order_by().values_list("status", "operation").annotate(count=Count("pk"))
    return {(status, operation): count for status, operation, count in rows}


def reasons() -> Reasons:
    recent = JobEvent.objects.filter(OUT_OF_THE_ORDINARY, at__gte=Now() - _HOUR)
    rows = recent.values_list("verb", "note").annotate(count=Count("pk")).order_by("-count")
    return Reasons(counts={(verb, note): count for verb, note, count in rows[:_MOST_REASONS]})


def delivered_webhooks() -> int:
    """Of jobs that ended in the last hour."""
    return WebhookDelivery.objects.filter(status=DeliveryStatus.DELIVERED, job__completed_at__gte=Now() - _HOUR).count()


def durations() -> list[Seconds]:
    completed = _finished().filter(status=Status.COMPLETED).order_by("-completed_at")
    times = completed.values_list("operation", "created_at", "attempt_started_at", "completed_at")[:_MOST_MEASURED]
    parts: dict[tuple[str, str], list[float]] = {}
    for operation, created, started, ended in times:
        for part, seconds in _parts(created, started or created, ended).items():
            parts.setdefault((operation, part), []).append(seconds)
    return [
        Seconds(operation=operation, part=part, by_quantile=_by_quantile(values))
        for (operation, part), values in parts.items()
    ]


def _finished() -> Any:
    return Job.objects.filter(completed_at__gte=Now() - _HOUR)


def _parts(created: datetime, started: datetime, ended: datetime) -> dict[str, float]:
    wait, run = (started - created).total_seconds(), (ended - started).total_seconds()
    return {"wait": wait, "run": run, "total": wait + run}


def _by_quantile(values: Iterable[float]) -> dict[str, float]:
    known = sorted(values)
    cuts = quantiles(known, n=100, method="inclusive") if len(known) > 1 else known * 99
    return {"0.5": cuts[49], "0.95": cuts[94], "0.99": cuts[98]}
