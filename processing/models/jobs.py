"""One job and its verbs.

The row is the truth: every guarantee comes from conditional UPDATEs here, and a message to a worker is only a nudge.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest, Least, Now
from django.utils import timezone

from astra.databases.compiled import CompiledQuery

from .clock import from_now
from .deliveries import WebhookDelivery
from .events import JobEvent
from .failures import NO_TRACE, Trace, timed_out, worker_lost
from .job_queue import JobQuerySet
from .job_table import JobTable
from .job_table import new_job_id as new_job_id
from .status import ENDS_OF_WORK, TRANSITIONS, Status

# Losses of a worker that no attempt is charged for. More than an outage explains are the job's own doing.
_MOST_LOSSES = 10
# As long as a link into S3 can last.
_LONGEST_LIFE = timedelta(days=7)
_LEAST_EXTENSION = timedelta(minutes=1)  # a shorter one is refused, or a result at the limit could be extended for ever


def is_job_id(text: str) -> bool:
    """True if a job could have this id; others are not looked up."""
    return re.fullmatch(r"job_[0-9A-Za-z]{1,36}", text) is not None


class Job(JobTable):
    """One processing job. Its status changes only through its verbs; each returns False if it lost a race."""

    objects = JobQuerySet.as_manager()

    @property
    def is_finished(self) -> bool:
        return self.status in (Status.COMPLETED, Status.FAILED)

    @property
    def is_waiting(self) -> bool:
        """Whether no worker has had the job yet, or not since staff let it run again."""
        return self.status == Status.QUEUED and self.attempt_started_at is None

    @property
    def shown_status(self) -> str:
        """As callers see it: a job that waits to be tried again is still being processed."""
        return Status.PROCESSING if self.status == Status.QUEUED and not self.is_waiting else self.status

    @property
    def has_expired(self) -> bool:
        """Whether the time of its result is over, even if the file has not been deleted yet."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def has_attempts_left(self) -> bool:
        return self.attempt < self.attempt_limit

    def begin_attempt(self, taken_by: str, worker: str = "") -> bool:
        """The verb `claim`, for this row. False if another worker was faster."""
        return self._move(
            "claim",
            attempt=F("attempt") + 1,
            claims=F("claims") + 1,
            taken_by=taken_by,
            worker=worker,
            lease_until=_lease_end(),
            attempt_started_at=Now(),
            started_at=Coalesce(F("started_at"), Now()),
            retry_reason=None,
        )

    def heartbeat(self) -> bool:
        """Renew the lease. False if the job is no longer this attempt's."""
        return bool(self._mine().update(lease_until=_lease_end()))

    def report_progress(self, percent: int) -> bool:
        """Write the progress, which never falls, and renew the lease. False if the job is no longer this attempt's."""
        return bool(self._mine().update(progress=Greatest(F("progress"), percent), lease_until=_lease_end()))

    def complete(self, *, result: Mapping[str, Any], result_key: str, warnings: Sequence[str]) -> bool:
        """False if the job is no longer this attempt's; then its file must be deleted."""
        return self._finish(
            "complete",
            progress=100,
            result=dict(result),
            result_key=result_key,
            warnings=list(warnings),
            has_leftovers=False,
            expires_at=from_now(timedelta(seconds=settings.RESULT_TTL)),
            error=None,
        )

    def fail(self, error: Mapping[str, Any], where: Q | None = None, trace: Trace = NO_TRACE) -> bool:
        """`trace` is where it failed, for staff."""
        return self._finish("fail", where=where, trace=trace, error=dict(error), has_leftovers=True)

    def cancel(self, error: Mapping[str, Any], actor: str = "") -> bool:
        """End a job that is not finished. Its worker notices at its next sign of life."""
        return self._finish("cancel", actor=actor, error=dict(error), has_leftovers=_WAS_CLAIMED)

    def release(self, error: Mapping[str, Any], delay: timedelta, trace: Trace = NO_TRACE) -> bool:
        """Put the job back into the queue, to be tried again after `delay`. The attempt counts."""
        reason = {"reason": error["message"], "code": error["code"]}
        return self._requeue(error["code"], delay, trace=trace, retry_reason=reason)

    def hand_back(
        self,
        reason: str,
        delay: timedelta = timedelta(0),
        *,
        error: Mapping[str, Any] | None = None,
        where: Q | None = None,
        trace: Trace = NO_TRACE,
    ) -> bool:
        """Put the job back into the queue through no fault of its own: the attempt does not count.

        The tenth time it fails with `error`, by default that its workers were lost.
        """
        if self.losses + 1 >= _MOST_LOSSES:
            return self.fail(error or worker_lost(_MOST_LOSSES), where, trace)
        return self._requeue(reason, delay, where, trace, attempt=F("attempt") - 1, losses=F("losses") + 1)

    def charge_loss(self, reason: str) -> bool:
        """The job killed its worker: the attempt counts."""
        if self.has_attempts_left:
            return self._requeue(reason, timedelta(0))
        return self.fail(worker_lost(self.attempt))

    def give_up_for_lost(self) -> bool:
        """End the attempt of a worker without a sign of life. False if there was one meanwhile.

        The time in which nobody worked does not count against the job.
        """
        silent = Q(lease_until__lt=Now())
        if self._worked_for() > timedelta(seconds=settings.JOB_TIME_LIMIT):
            return self.fail(timed_out(), where=silent)
        return self.hand_back("the worker was lost", where=silent)

    def retry(self, actor: str) -> bool:
        """Put a failed job back into the queue, with as many attempts as a new one. `actor` is a member of staff.

        Refused for a job that its owner cancelled.
        """
        if self.error is not None and self.error["code"] == "CANCELED":
            return False
        return self._move(
            "retry",
            actor=actor,
            error=None,
            completed_at=None,
            due_at=Now(),
            attempt_started_at=None,
            losses=0,
            attempt_limit=F("attempt") + settings.JOB_ATTEMPTS,
        )

    def discard_result(self, actor: str = "") -> bool:
        """Let the result expire now, as its owner or `actor` wants. False if there is none, or none any more."""
        return self._change_life("discard", Now(), actor)

    def extend_result(self, actor: str) -> bool:
        """Keep the result so much longer as a new one is kept, but at most seven days from now.

        False if there is none any more, or if it lasts that long already.
        """
        longest = from_now(_LONGEST_LIFE)
        later = Least(F("expires_at") + timedelta(seconds=settings.RESULT_TTL), longest)
        return self._change_life("extend", later, actor, Q(expires_at__lt=from_now(_LONGEST_LIFE - _LEAST_EXTENSION)))

    def forget_result(self) -> None:
        """The file is deleted. The job stays completed."""
        with transaction.atomic():
            if Job.objects.filter(pk=self.pk).exclude(result_key="").update(result_key=""):
                self.record("expire")

    def forget_leftovers(self) -> None:
        """The files of a failed job are deleted."""
        Job.objects.filter(pk=self.pk, status=Status.FAILED).update(has_leftovers=False)

    def record(self, verb: str, note: str = "", actor: str = "", traceback: str = "") -> None:
        JobEvent.objects.create(
            job=self,
            verb=verb,
            attempt=self.attempt,
            progress=self.progress,
            note=note[:500],
            actor=actor,
            worker=self.worker if verb == "claim" else "",
            traceback=traceback,
        )

    def _mine(self) -> JobQuerySet:
        """The row, if this attempt still owns it; empty for a worker given up as lost."""
        return Job.objects.filter(pk=self.pk, status=Status.PROCESSING, claims=self.claims)

    def _worked_for(self) -> timedelta:
        """From the beginning of the attempt to its last sign of life."""
        if self.lease_until is None or self.attempt_started_at is None:
            return timedelta(0)
        return self.lease_until - timedelta(seconds=settings.LEASE_SECONDS) - self.attempt_started_at

    def _change_life(self, verb: str, expires_at: Combinable, actor: str, where: Q | None = None) -> bool:
        kept = Job.objects.filter(where or Q(), pk=self.pk, status=Status.COMPLETED, expires_at__gt=Now())
        with transaction.atomic():
            if not kept.exclude(result_key="").update(expires_at=expires_at):
                return False
            self.refresh_from_db()
            self.record(verb, actor=actor)
        return True

    def _requeue(
        self, note: str, delay: timedelta, where: Q | None = None, trace: Trace = NO_TRACE, **changes: Any
    ) -> bool:
        return self._move(
            "release", note, where=where, trace=trace, due_at=from_now(delay), lease_until=None, **changes
        )

    def _finish(self, verb: str, *, where: Q | None = None, **changes: Any) -> bool:
        """A last transition and the webhook's row: both are written, or neither."""
        ended: dict[str, Any] = {"completed_at": Now(), "lease_until": None, "retry_reason": None}
        with transaction.atomic():
            if not self._move(verb, where=where, **ended, **changes):
                return False
            if self.webhook_url:
                WebhookDelivery.objects.announce(self)
        return True

    def _move(
        self,
        verb: str,
        note: str = "",
        actor: str = "",
        where: Q | None = None,
        trace: Trace = NO_TRACE,
        **changes: Any,
    ) -> bool:
        """The only place that changes a status, if the row is still as this object knows it."""
        sources, target = TRANSITIONS[verb]
        with transaction.atomic():
            rows = Job.objects.filter(where or Q(), pk=self.pk, status__in=sources)
            # Cancelling means the job, all other verbs mean the attempt that this object knows.
            if verb != "cancel":
                rows = rows.filter(claims=self.claims)
            if not rows.update(status=target, parked=False, stage=trace.stage, **changes):
                return False
            self.refresh_from_db()
            self.record(verb, note or (self.error or {}).get("code", ""), actor, trace.text)
            if verb in ENDS_OF_WORK:
                Job.objects.unpark_one_of(self.account_id)
        return True


# For an UPDATE: a job that no worker ever had has no files.
_WAS_CLAIMED = models.ExpressionWrapper(Q(claims__gt=0), output_field=models.BooleanField())


def _lease_end() -> Combinable:
    """Until when a claimed job stays claimed without a sign of life."""
    return from_now(timedelta(seconds=settings.LEASE_SECONDS))


def job_of_caller(account_id: int, mode: str, job_id: str) -> Job | None:
    """The job that a caller asks for, if it is of its account and mode, `with_webhook`."""
    return _OF_CALLER.first(account_id, mode, job_id) if is_job_id(job_id) else None


def _of_caller(account_id: int, mode: str, job_id: str) -> JobQuerySet:
    return Job.objects.filter(account=account_id, mode=mode, pk=job_id).with_webhook().order_by()


_OF_CALLER = CompiledQuery(_of_caller, int, str, str)
