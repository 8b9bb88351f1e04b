"""The table of jobs: its columns, what always holds of a row, and by which indexes rows are found.

The database refuses any row that breaks a rule, even from a raw UPDATE. Most indexes hold only the few rows that a
query can mean, however many jobs have ended.
"""

from django.db import models
from django.db.models import BaseConstraint, CheckConstraint, GeneratedField, Index, Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Left, StrIndex
from django.utils import timezone

from accounts.models import Account, ApiKey

from .identifiers import random_id
from .status import SHOWN_AS, Status

_COMPLETED, _FAILED = Q(status=Status.COMPLETED), Q(status=Status.FAILED)
_NEWEST_FIRST = ["-created_at", "-id"]


def new_job_id() -> str:
    return random_id("job")


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
_CONSTRAINTS: tuple[BaseConstraint, ...] = tuple(
    CheckConstraint(condition=condition, name=name) for name, condition in _RULES.items()
)

_OF_LISTS = (
    Index(fields=_NEWEST_FIRST, name="jobs_newest_first"),  # of all accounts, for staff
    Index(fields=["account", *_NEWEST_FIRST], name="jobs_of_account"),
    Index(fields=["account", "operation", *_NEWEST_FIRST], name="jobs_of_account_by_operation"),
    Index(fields=["account", *_NEWEST_FIRST], name="jobs_shown_queued", condition=SHOWN_AS[Status.QUEUED]),
    Index(fields=["account", *_NEWEST_FIRST], name="jobs_shown_processing", condition=SHOWN_AS[Status.PROCESSING]),
    Index(fields=["account", *_NEWEST_FIRST], name="jobs_shown_failed", condition=SHOWN_AS[Status.FAILED]),
)
_OF_STAFF = (
    Index(fields=["mode", *_NEWEST_FIRST], name="jobs_by_mode"),
    Index(fields=["operation", *_NEWEST_FIRST], name="jobs_by_operation"),
    Index(fields=["provider", *_NEWEST_FIRST], name="jobs_by_provider"),
    Index(fields=["error_code", *_NEWEST_FIRST], name="jobs_by_error_code", condition=_FAILED),
    Index(fields=["completed_at"], name="jobs_failed_by_end", condition=_FAILED),
    Index(fields=["request_id"], name="jobs_by_request", condition=~Q(request_id="")),
    # So that a beginning is found by the index, too.
    Index(fields=["first_scene"], name="jobs_by_first_scene", opclasses=["text_pattern_ops"]),
    Index(
        fields=["second_scene"],
        name="jobs_by_second_scene",
        opclasses=["text_pattern_ops"],
        condition=Q(second_scene__isnull=False),
    ),
)
_OF_THE_QUEUE = (
    Index(fields=["turn", "created_at"], name="jobs_in_turn", condition=Q(status=Status.QUEUED, parked=False)),
    Index(fields=["account", "turn"], name="jobs_queued_of_account", condition=Q(status=Status.QUEUED)),
    Index(fields=["account", "turn", "created_at"], name="jobs_parked", condition=Q(status=Status.QUEUED, parked=True)),
    Index(fields=["operation", "mode", "-completed_at"], name="jobs_completed_alike", condition=_COMPLETED),
)
_OF_SWEEPS = (
    Index(fields=["lease_until"], name="jobs_leased", condition=Q(status=Status.PROCESSING)),
    Index(fields=["expires_at"], name="jobs_expiring", condition=~Q(result_key="")),
    Index(fields=["completed_at"], name="jobs_to_clean_up", condition=Q(has_leftovers=True)),
    Index(fields=["completed_at"], name="jobs_by_end", condition=Q(completed_at__isnull=False)),
)


class JobTable(models.Model):
    """The columns of `Job`."""

    id = models.CharField(primary_key=True, max_length=40, default=new_job_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="jobs")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    mode = models.CharField(max_length=4, choices=ApiKey.Mode)
    operation = models.CharField(max_length=40)
    scene_ids = models.JSONField()
    params = models.JSONField()
    webhook_url = models.CharField(max_length=2000, null=True)
    origin = models.CharField(max_length=300)
    request_id = models.CharField(max_length=64, blank=True, db_default="")  # of the submit, as in the logs

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)  # those that are charged to the job, and the one under way
    attempt_limit = models.PositiveIntegerField()
    claims = models.PositiveIntegerField(default=0)  # a worker's writes count only until the next claim
    losses = models.PositiveSmallIntegerField(default=0)  # workers that were lost through no fault of the job
    taken_by = models.CharField(max_length=40, blank=True)  # the Celery message by which it was claimed last
    worker = models.CharField(max_length=255, blank=True)  # the name of the worker that claimed it last
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)  # the first attempt
    attempt_started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    turn = models.PositiveBigIntegerField(default=0)  # see `job_queue`
    parked = models.BooleanField(default=False)  # waits until another job of its account ends
    due_at = models.DateTimeField(default=timezone.now)  # not claimed earlier
    retry_reason = models.JSONField(null=True)  # why it waits to be tried again: {"reason", "code"}

    result = models.JSONField(null=True)
    # In the storage; empty once the file is deleted.
    result_key = models.CharField(max_length=200, blank=True, db_index=True)
    has_leftovers = models.BooleanField(default=False)  # it failed after a worker had it, and may have left files
    expires_at = models.DateTimeField(null=True)
    warnings = models.JSONField(default=list)
    error = models.JSONField(null=True)
    stage = models.CharField(max_length=20, blank=True, db_default="")  # in which the last attempt failed, for staff

    # What staff look for, taken out of the JSON by the database itself.
    error_code = GeneratedField(expression=KT("error__code"), output_field=TextField(null=True), db_persist=True)
    first_scene = GeneratedField(expression=KT("scene_ids__0"), output_field=TextField(null=True), db_persist=True)
    second_scene = GeneratedField(expression=KT("scene_ids__1"), output_field=TextField(null=True), db_persist=True)
    provider = GeneratedField(
        expression=Left(KT("scene_ids__0"), StrIndex(KT("scene_ids__0"), Value(":")) - 1),
        output_field=TextField(null=True),
        db_persist=True,
    )

    class Meta:
        abstract = True
        ordering = _NEWEST_FIRST
        constraints = _CONSTRAINTS
        indexes = (*_OF_LISTS, *_OF_STAFF, *_OF_THE_QUEUE, *_OF_SWEEPS)

    def __str__(self) -> str:
        return str(self.pk)
