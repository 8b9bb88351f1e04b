"""What always holds of a job's row. The database refuses any other, even from a raw UPDATE."""

from django.db.models import BaseConstraint, CheckConstraint, Q

from accounts.models import ApiKey

from .status import Status

_COMPLETED, _FAILED = Q(status=Status.COMPLETED), Q(status=Status.FAILED)


def _implies(one: Q, other: Q) -> Q:
    return ~one | other


def _both_or_neither(one: Q, other: Q) -> Q:
    return (one & other) | (~one & ~other)


_RULES = {
    "job_has_a_known_status": Q(status__in=Status.values),
    "job_has_a_known_mode": Q(mode__in=ApiKey.Mode.values),
    "job_progress_is_a_percentage": Q(progress__range=(0, 100)),
    "job_is_finished_with_a_time": _both_or_neither(_COMPLETED | _FAILED, Q(completed_at__isnull=False)),
    "job_is_processing_on_a_lease": _both_or_neither(Q(status=Status.PROCESSING), Q(lease_until__isnull=False)),
    "job_is_completed_with_a_result": _implies(_COMPLETED, Q(result__isnull=False, expires_at__isnull=False)),
    "job_is_failed_with_an_error": _both_or_neither(_FAILED, Q(error__isnull=False)),
    "job_is_parked_in_the_queue": _implies(Q(parked=True), Q(status=Status.QUEUED)),
    "job_has_a_file_once_completed": _implies(~Q(result_key=""), _COMPLETED),
}
JOB_CONSTRAINTS: tuple[BaseConstraint, ...] = tuple(
    CheckConstraint(condition=condition, name=name) for name, condition in _RULES.items()
)
