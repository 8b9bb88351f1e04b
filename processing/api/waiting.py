"""How long a queued job is likely to wait."""

from math import ceil
from statistics import median
from typing import Any

from django.core.cache import cache

from ..models import Job

_KEPT_SECONDS = 2
_LOOKED_AT = 50  # completed jobs, the latest ones
_UNKNOWN_SECONDS = 5.0  # of an operation of which no job was ever completed


def waiting_of(job: Job) -> dict[str, int | None]:
    """`queue_position`, 1 for the next job, and `eta_seconds` to its likely end. Nulls for a job that does not wait.

    Worked out at most every two seconds for each job.
    """
    if not job.is_waiting:
        return {"queue_position": None, "eta_seconds": None}
    known: Any = cache.get_or_set(f"waiting:{job.pk}", lambda: _work_out(job), _KEPT_SECONDS)
    return dict(known)


def _work_out(job: Job) -> dict[str, int | None]:
    position = Job.objects.ahead_of(job).count() + 1
    at_work = max(1, Job.objects.at_work().count())
    seconds = typical_seconds(job.operation)
    return {"queue_position": position, "eta_seconds": ceil(seconds * (position / at_work + 1))}


def typical_seconds(operation: str) -> float:
    """The median of the latest completed jobs."""
    seconds: Any = cache.get_or_set(f"seconds:{operation}", lambda: _measure(operation), 10 * _KEPT_SECONDS)
    return float(seconds)


def _measure(operation: str) -> float:
    times = Job.objects.latest_completed(operation)[:_LOOKED_AT].values_list("attempt_started_at", "completed_at")
    seconds = [(end - start).total_seconds() for start, end in times if start and end]
    return median(seconds) if seconds else _UNKNOWN_SECONDS
