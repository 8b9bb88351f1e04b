"""Webhooks: the end of a job, sent to a caller's URL, attempt by attempt.

At most one attempt is under way at each receiving host, so one that hangs holds up no other.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from .clock import from_now
from .identifiers import random_id
from .status import DeliveryStatus
from .webhook_attempts import Answer, Outcome, WebhookAttempt, pause_after
from .webhook_receivers import WebhookReceiver

if TYPE_CHECKING:
    from .jobs import Job

# Longer than any attempt may last, so that two never run at once.
_ATTEMPT_LEASE = timedelta(seconds=45)
# Deliveries that one claim tries to take.
_TRIED_AT_ONCE = 20
# What a delivery keeps of the job: the columns that the body shows and a later retry changes.
_KEPT_OF_JOB = ("status", "progress", "attempt", "result", "result_key", "warnings", "error", "retry_reason")


def new_message_id() -> str:
    return random_id("msg")


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def announce(self, job: "Job") -> "WebhookDelivery":
        """The end of the job, as it is now, on its way to the job's URL."""
        url = job.webhook_url or ""
        receiver = WebhookReceiver.objects.of(job.account_id, host_of(url))
        return self.create(
            job=job,
            event=f"job.{job.status}",
            url=url,
            receiver=receiver,
            host=receiver.host,
            status=DeliveryStatus.SWITCHED_OFF if receiver.switched_off_at else DeliveryStatus.PENDING,
            job_as_ended={name: getattr(job, name) for name in _KEPT_OF_JOB},
            ended_at=job.completed_at,
            expires_at=job.expires_at,
            next_attempt_at=Now(),
        )

    def due(self) -> Self:
        """Pending deliveries whose time has come, the longest due first."""
        return self.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=Now()).order_by("next_attempt_at")

    def claim_next(self, taken_by: str = "", worker: str = "") -> "WebhookDelivery | None":
        """Take a due delivery to a host at which no other attempt is under way. None if there is none.

        An attempt whose worker was lost comes due again, and frees its host. `taken_by` is the id of the Celery message
        that asked for it, `worker` the name of the worker that got it.
        """
        self.due().exclude(busy_host=None).update(busy_host=None)
        busy = self.exclude(busy_host=None).values("busy_host")
        for delivery in self.due().exclude(host__in=busy)[:_TRIED_AT_ONCE]:
            if delivery.begin_attempt(taken_by, worker):
                return delivery
        return None

    def under_way(self, **taken: Any) -> Self:
        """Attempts that have not ended; `taken` says by whom."""
        return self.filter(status=DeliveryStatus.PENDING, **taken).exclude(busy_host=None)

    def set_free(self) -> int:
        """The workers of these attempts are gone: they are due again at once. Returns how many there were."""
        return self.update(busy_host=None, next_attempt_at=Now())


class WebhookDelivery(models.Model):
    """One end of a job on its way to one URL, until it is delivered or given up."""

    job = models.ForeignKey("processing.Job", on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, default=new_message_id, unique=True)
    event = models.CharField(max_length=30)
    url = models.CharField(max_length=2000)
    receiver = models.ForeignKey(WebhookReceiver, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    status = models.CharField(max_length=20, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(null=True)  # of the last answer; null: there was none
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    host = models.CharField(max_length=255, blank=True)
    busy_host = models.CharField(max_length=255, null=True, unique=True)  # while an attempt is under way
    taken_by = models.CharField(max_length=40, blank=True)  # as those of a job
    worker = models.CharField(max_length=255, blank=True)
    # What the body shows, even if staff let the job run again meanwhile. Null: written before this was kept.
    job_as_ended = models.JSONField(null=True)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="webhooks_due", condition=Q(status="pending")),
            models.Index(fields=["id"], name="webhooks_given_up", condition=Q(status="given up")),
            models.Index(fields=["receiver"], name="webhooks_held_back", condition=Q(status="switched off")),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.url}"

    def begin_attempt(self, taken_by: str = "", worker: str = "") -> bool:
        """Take the delivery for one attempt. False if another worker was faster, with it or with its host."""
        rows = WebhookDelivery.objects.due().filter(pk=self.pk, attempts=self.attempts, busy_host=None)
        busy = self.host or str(self.pk)
        try:
            with transaction.atomic():
                taken = rows.update(
                    attempts=F("attempts") + 1,
                    busy_host=busy,
                    taken_by=taken_by,
                    worker=worker,
                    next_attempt_at=from_now(_ATTEMPT_LEASE),
                )
        except IntegrityError:  # busy_host is unique
            return False
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def job_at_its_end(self) -> "Job":
        """The job as it was when it ended, which a retry by staff does not change."""
        job = self.job
        for name, value in (self.job_as_ended or {}).items():
            setattr(job, name, value)
        if self.job_as_ended is not None:
            job.completed_at, job.expires_at = self.ended_at, self.expires_at
        return job

    def send_again(self, actor: str = "") -> None:
        """For staff: start again with as many attempts as a new delivery has, even if its receiver is switched off.

        The id of the message and its body stay the same.
        """
        with transaction.atomic():
            WebhookDelivery.objects.filter(pk=self.pk).update(
                status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=Now(), busy_host=None
            )
            self.job.record("resend", actor=actor)

    def record_attempt(self, answer: Answer) -> None:
        """The attempt as a row, and what follows from it for the delivery and for its receiver."""
        with transaction.atomic():
            WebhookAttempt.objects.create(
                delivery=self,
                number=self.attempts,
                response_status=answer.response_status,
                milliseconds=answer.milliseconds,
                note=answer.note[:500],
                content=answer.content,
            )
            row = WebhookDelivery.objects.filter(pk=self.pk, attempts=self.attempts)
            row.update(busy_host=None, last_status=answer.response_status, **self._after(answer))
            if self.receiver is not None:
                works = answer.outcome is Outcome.DELIVERED
                self.receiver.switch_on() if works else self.receiver.note_failure()

    def _after(self, answer: Answer) -> dict[str, Any]:
        """The columns that change with this attempt."""
        if answer.outcome is Outcome.DELIVERED:
            return {"status": DeliveryStatus.DELIVERED}
        pause = pause_after(self.attempts, answer.retry_after)
        if answer.outcome is Outcome.STOP or pause is None:
            return {"status": DeliveryStatus.GIVEN_UP}
        return {"next_attempt_at": from_now(pause)}


def host_of(url: str) -> str:
    """The host; empty if the URL is malformed."""
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""
