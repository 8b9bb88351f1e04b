"""The present state in a few numbers, by the database's clock. Each query reads only jobs that are not finished."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, Max, Q, When
from django.db.models.functions import Now

from ..models import Job, WebhookDelivery, WebhookReceiver
from ..models.status import DeliveryStatus, Status
from .worker_signs import PREFIX

_SEEN_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Signs:
    """Age of the last sweep in seconds, None if there never was one; workers seen in the last minute, by kind.

    The kind is what stands before the @ of a worker's name.
    """

    sweep_seconds: float | None
    workers: dict[str, int]

    @classmethod
    def of(cls, ages: Mapping[str, float]) -> Self:
        """By the seconds since each part's last sign."""
        seen = (name for name, age in ages.items() if name.startswith(PREFIX) and age <= _SEEN_SECONDS)
        return cls(sweep_seconds=ages.get("sweep"), workers=_by_kind(seen))


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Queued jobs of one operation: all, those that may be claimed now, and how long the oldest of these has waited."""

    operation: str
    queued: int
    due: int
    oldest_due_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Deliveries that are pending and that were given up, receivers that are switched off, and how long the oldest
    delivery that is due has waited.
    """

    pending: int
    given_up: int
    receivers_off: int
    oldest_due_seconds: float

    @classmethod
    def read(cls) -> Self:
        due = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING)
        age = ExpressionWrapper(Now() - F("next_attempt_at"), DurationField())
        first = due.order_by("next_attempt_at").values_list(age, flat=True).first()
        return cls(
            pending=due.count(),
            given_up=WebhookDelivery.objects.filter(status=DeliveryStatus.GIVEN_UP).count(),
            receivers_off=WebhookReceiver.objects.switched_off().count(),
            oldest_due_seconds=max(0.0, first.total_seconds()) if first is not None else 0.0,
        )


def waiting_jobs() -> list[Waiting]:
    is_due = Q(parked=False, due_at__lte=Now())
    age = Case(When(is_due, then=ExpressionWrapper(Now() - F("due_at"), DurationField())))
    rows = (
        Job.objects.filter(status=Status.QUEUED)
        .order_by()
        .values("operation")
        .annotate(queued=Count("pk"), due=Count("pk", filter=is_due), oldest=Max(age))
    )
    return [
        Waiting(
            operation=row["operation"],
            queued=row["queued"],
            due=row["due"],
            oldest_due_seconds=None if row["oldest"] is None else row["oldest"].total_seconds(),
        )
        for row in rows
    ]


def by_operation(status: Status) -> dict[str, int]:
    """Number of jobs. Only for a status that jobs leave: of all that ever ended there may be millions."""
    rows = Job.objects.filter(status=status).order_by().values_list("operation").annotate(count=Count("pk"))
    return dict(rows)


def oldest_due_seconds(waiting: Iterable[Waiting]) -> float | None:
    """How long the oldest job has waited that could have been claimed; None if there is none."""
    return max((each.oldest_due_seconds for each in waiting if each.oldest_due_seconds is not None), default=None)


def _by_kind(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(name.removeprefix(PREFIX).partition("@")[0] for name in names))
