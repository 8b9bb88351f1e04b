"""Can this process serve, and what is wrong with the rest of the service?

Not ready is only what no other process could serve either way: without its database or with a wrong schema, a load
balancer has to leave this process alone. Anything else is `degraded`: submits are accepted and wait in their rows.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import Error

from astra.exceptions import ApiError, Problem

from ..models.signs import Sign
from .checks import broker_answers, is_migrated, storage_state
from .present import Signs, Waiting, oldest_due_seconds, waiting_jobs

_SWEEP_SECONDS = 60.0
_OLDEST_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What stands in the body of /readyz. Ages are in seconds; None: no due job, or never swept."""

    database: str
    migrations: str
    broker: str
    storage: str
    oldest_due_job_seconds: float | None
    last_sweep_seconds: float | None
    workers: dict[str, int]

    @property
    def degraded(self) -> list[str]:
        """Names of what is wrong although the process is ready."""
        wrong = {
            "broker": self.broker != "ok",
            "storage": self.storage == "not writable",
            "sweep": self.last_sweep_seconds is None or self.last_sweep_seconds > _SWEEP_SECONDS,
            "workers": not self.workers,
            "queue": (self.oldest_due_job_seconds or 0) > _OLDEST_SECONDS,
        }
        return [name for name, is_wrong in wrong.items() if is_wrong]

    def body(self) -> dict[str, Any]:
        return {"status": "degraded" if self.degraded else "ok", **asdict(self), "degraded": self.degraded}


def report() -> Report:
    """Raises ApiError (503) if the database is away or lacks migrations."""
    try:
        if not is_migrated():
            raise _not_ready(
                "The database lacks migrations: run manage.py migrate.", database="ok", migrations="missing"
            )
        return report_of(Signs.of(Sign.objects.ages()), waiting_jobs())
    except Error as error:
        raise _not_ready("The database is away.", database="away", migrations="unknown") from error


def report_of(signs: Signs, waiting: Iterable[Waiting]) -> Report:
    """With a database that has just answered."""
    return Report(
        database="ok",
        migrations="ok",
        broker="ok" if broker_answers() else "away",
        storage=storage_state(),
        oldest_due_job_seconds=_rounded(oldest_due_seconds(waiting)),
        last_sweep_seconds=_rounded(signs.sweep_seconds),
        workers=signs.workers,
    )


def _not_ready(message: str, **found: str) -> ApiError:
    return ApiError(Problem.DATABASE_UNAVAILABLE, message, found)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
