"""By which indexes jobs are found. Most hold only the few rows that a query can mean, however many jobs have ended."""

from django.db.models import Index, Q

from .status import SHOWN_AS, Status

_NEWEST_FIRST = ["account", "-created_at", "-id"]

_OF_LISTS = (
    Index(fields=["-created_at", "-id"], name="jobs_newest_first"),  # of all accounts, for staff
    Index(fields=_NEWEST_FIRST, name="jobs_of_account"),
    Index(fields=["account", "operation", "-created_at", "-id"], name="jobs_of_account_by_operation"),
    Index(fields=_NEWEST_FIRST, name="jobs_shown_queued", condition=SHOWN_AS[Status.QUEUED]),
    Index(fields=_NEWEST_FIRST, name="jobs_shown_processing", condition=SHOWN_AS[Status.PROCESSING]),
    Index(fields=_NEWEST_FIRST, name="jobs_shown_failed", condition=SHOWN_AS[Status.FAILED]),
)
_OF_THE_QUEUE = (
    Index(fields=["turn", "created_at"], name="jobs_in_turn", condition=Q(status=Status.QUEUED, parked=False)),
    Index(fields=["account", "turn"], name="jobs_queued_of_account", condition=Q(status=Status.QUEUED)),
    Index(fields=["account", "turn", "created_at"], name="jobs_parked", condition=Q(status=Status.QUEUED, parked=True)),
    Index(
        fields=["operation", "mode", "-completed_at"], name="jobs_completed_alike", condition=Q(status=Status.COMPLETED)
    ),
)
_OF_SWEEPS = (
    Index(fields=["lease_until"], name="jobs_leased", condition=Q(status=Status.PROCESSING)),
    Index(fields=["expires_at"], name="jobs_expiring", condition=~Q(result_key="")),
    Index(fields=["completed_at"], name="jobs_to_clean_up", condition=Q(has_leftovers=True)),
    Index(fields=["completed_at"], name="jobs_by_end", condition=Q(completed_at__isnull=False)),
)
JOB_INDEXES = (*_OF_LISTS, *_OF_THE_QUEUE, *_OF_SWEEPS)
