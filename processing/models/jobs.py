"""One job and its verbs.

The row is the truth: every guarantee comes from conditional UPDATEs here, and a message to a worker is only a nudge.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Account, ApiKey

from .deliveries import WebhookDelivery
from .events import JobEvent
from .failures import timed_out, worker_lost
from .identifiers import lease_end, random_id
from .job_constraints import JOB_CONSTRAINTS
from .job_queue import JobQuerySet
from .status import TRANSITIONS, Status

# A message that no worker has taken is sent again after this long.
_DISPATCH_AGAIN = timedelta(seconds=60)


def new_job_id() -> str:
    return random_id("job")


def is_job_id(text: str) -> bool:
    """True if a job could have this id; others are not looked up."""
    return re.fullmatch(r"job_[0-9A-Za-z]{1,36}", text) is not None


class Job(models.Model):
    """One processing job. Its status changes only through its verbs; each returns False if it lost a race."""

    id = models.CharField(primary_key=True, max_length=40, default=new_job_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="jobs")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    mode = models.CharField(max_length=4, choices=ApiKey.Mode)
    operation = models.CharField(max_length=40)
    scene_ids = models.JSONField()
    params = models.JSONField()
    webhook_url = models.CharField(max_length=2000, null=True)
    origin = models.CharField(max_length=300)

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    attempt_limit = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)  # not claimed earlier
    dispatch_at = models.DateTimeField(default=timezone.now)  # when its next message is sent
    lease_until = models.DateTimeField(null=True)

    result = models.JSONField(null=True)
    # In the storage; empty once the file is deleted.
    result_key = models.CharField(max_length=200, blank=True, db_index=True)
    expires_at = models.DateTimeField(null=True)
    warnings = models.JSONField(default=list)
    error = models.JSONField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = JOB_CONSTRAINTS
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="jobs_of_account"),
            models.Index(fields=["dispatch_at"], name="jobs_due", condition=Q(status="queued")),
            models.Index(fields=["lease_until"], name="jobs_leased", condition=Q(status="processing")),
            models.Index(fields=["expires_at"], name="jobs_expiring", condition=~Q(result_key="")),
            models.Index(fields=["completed_at"], name="jobs_by_end", condition=Q(completed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_finished(self) -> bool:
        return self.status in (Status.COMPLETED, Status.FAILED)

    @property
    def has_attempts_left(self) -> bool:
        return self.attempt < self.attempt_limit

    def begin_attempt(self) -> bool:
        """The verb `claim`, for this row. False if another worker was faster."""
        now = timezone.now()
        return self._move("claim", attempt=self.attempt + 1, lease_until=lease_end(now), started_at=now)

    def heartbeat(self) -> bool:
        """Renew the lease. False if the job is no longer this attempt's."""
        return bool(self._mine().update(lease_until=lease_end(timezone.now())))

    def report_progress(self, percent: int) -> bool:
        """Write the progress, which never falls, and renew the lease. False if the job is no longer this attempt's."""
        self._mine().filter(progress__lt=percent).update(progress=percent)
        return self.heartbeat()

    def complete(self, *, result: Mapping[str, Any], result_key: str, warnings: Sequence[str]) -> bool:
        """False if the job is no longer this attempt's; then its file must be deleted."""
        now = timezone.now()
        return self._finish(
            "complete",
            now,
            progress=100,
            result=dict(result),
            result_key=result_key,
            warnings=list(warnings),
            expires_at=now + timedelta(seconds=settings.RESULT_TTL),
            error=None,
        )

    def fail(self, error: Mapping[str, Any]) -> bool:
        return self._finish("fail", timezone.now(), error=dict(error))

    def cancel(self, error: Mapping[str, Any], actor: str = "") -> bool:
        """End a job that is not finished. Its worker notices at its next sign of life."""
        return self._finish("cancel", timezone.now(), actor=actor, error=dict(error))

    def release(self, reason: str, delay: timedelta) -> bool:
        """Put the job back into the queue, to be tried again after `delay`."""
        again = timezone.now() + delay
        return self._move("release", reason, due_at=again, dispatch_at=again, lease_until=None)

    def retry(self, actor: str) -> bool:
        """Put a failed job back into the queue, with as many attempts as a new one. `actor` is a member of staff."""
        now = timezone.now()
        return self._move(
            "retry",
            actor=actor,
            error=None,
            completed_at=None,
            due_at=now,
            dispatch_at=now,
            attempt_limit=F("attempt") + settings.JOB_ATTEMPTS,
        )

    def give_up_for_lost(self) -> bool:
        """End the attempt of a lost worker: back to the queue if attempts are left, otherwise failed."""
        now = timezone.now()
        if self.lease_until is None or self.lease_until >= now:
            return False
        if self.started_at and now - self.started_at > timedelta(seconds=settings.JOB_TIME_LIMIT):
            return self.fail(timed_out())
        if self.has_attempts_left:
            return self.release("the worker was lost", timedelta(0))
        return self.fail(worker_lost(self.attempt))

    def note_dispatched(self) -> None:
        """Its message is sent; the next one only if no worker claims the job for a while."""
        Job.objects.filter(pk=self.pk, status=Status.QUEUED).update(dispatch_at=timezone.now() + _DISPATCH_AGAIN)

    def forget_result(self) -> None:
        """The file is deleted. The job stays completed."""
        with transaction.atomic():
            if Job.objects.filter(pk=self.pk).exclude(result_key="").update(result_key=""):
                self.record("expire")

    def record(self, verb: str, note: str = "", actor: str = "") -> None:
        JobEvent.objects.create(job=self, verb=verb, attempt=self.attempt, note=note[:500], actor=actor)

    def _mine(self) -> JobQuerySet:
        """The row, if this attempt still owns it; empty for a worker given up as lost."""
        return Job.objects.filter(pk=self.pk, status=Status.PROCESSING, attempt=self.attempt)

    def _finish(self, verb: str, now: datetime, **changes: Any) -> bool:
        """A last transition and the webhook's row: both are written, or neither."""
        with transaction.atomic():
            if not self._move(verb, completed_at=now, lease_until=None, **changes):
                return False
            if self.webhook_url:
                WebhookDelivery.objects.create(job=self, event=f"job.{self.status}", url=self.webhook_url)
        return True

    def _move(self, verb: str, note: str = "", actor: str = "", **changes: Any) -> bool:
        """The only place that changes a status, if the row is still as this object knows it."""
        sources, target = TRANSITIONS[verb]
        with transaction.atomic():
            rows = Job.objects.filter(pk=self.pk, status__in=sources)
            # Cancelling means the job, all other verbs mean the attempt that this object knows.
            if verb != "cancel":
                rows = rows.filter(attempt=self.attempt)
            if not rows.update(status=target, **changes):
                return False
            self.refresh_from_db()
            self.record(verb, note or (self.error or {}).get("code", ""), actor)
        return True
