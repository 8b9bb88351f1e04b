"""Webhooks: the end of a job, sent to a caller's URL, attempt by attempt."""

from datetime import timedelta
from enum import Enum
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from .identifiers import random_id

# Longer than any attempt may last, so that two never run at once.
_ATTEMPT_LEASE = timedelta(seconds=120)


class Outcome(Enum):
    """What one attempt means for the delivery."""

    DELIVERED = "delivered"
    AGAIN = "again"
    STOP = "stop"


def new_message_id() -> str:
    return random_id("msg")


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self) -> Self:
        return self.filter(status=WebhookDelivery.State.PENDING, next_attempt_at__lte=timezone.now())

    def claim(self, delivery_id: int) -> "WebhookDelivery | None":
        """Take a due delivery for one attempt. None if another worker was faster. A lost attempt comes due again."""
        with transaction.atomic():
            taken = (
                self.due()
                .filter(pk=delivery_id)
                .update(attempts=F("attempts") + 1, next_attempt_at=timezone.now() + _ATTEMPT_LEASE)
            )
            return self.select_related("job__account").get(pk=delivery_id) if taken else None


class WebhookDelivery(models.Model):
    """One end of a job on its way to one URL, until it is delivered or given up."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        GIVEN_UP = "given up"

    job = models.ForeignKey("processing.Job", on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, default=new_message_id, unique=True)
    event = models.CharField(max_length=30)
    url = models.CharField(max_length=2000)
    status = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="webhooks_due", condition=Q(status="pending")),
            models.Index(fields=["id"], name="webhooks_given_up", condition=Q(status="given up")),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.url}"

    def send_again(self) -> None:
        """For staff: start again with as many attempts as a new delivery has. The message id stays the same."""
        WebhookDelivery.objects.filter(pk=self.pk).update(
            status=self.State.PENDING, attempts=0, next_attempt_at=timezone.now()
        )

    def record_attempt(self, outcome: Outcome, *, response_status: int | None, note: str) -> None:
        with transaction.atomic():
            WebhookAttempt.objects.create(
                delivery=self, number=self.attempts, response_status=response_status, note=note[:500]
            )
            row = WebhookDelivery.objects.filter(pk=self.pk, attempts=self.attempts)
            row.update(**self._after(outcome))

    def _after(self, outcome: Outcome) -> dict[str, Any]:
        """The columns that change with this attempt."""
        waits = settings.WEBHOOK_DELAYS
        if outcome is Outcome.DELIVERED:
            return {"status": self.State.DELIVERED}
        if outcome is Outcome.STOP or self.attempts > len(waits):
            return {"status": self.State.GIVEN_UP}
        return {"next_attempt_at": timezone.now() + timedelta(seconds=waits[self.attempts - 1])}


class WebhookAttempt(models.Model):
    """One POST and its answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    response_status = models.PositiveSmallIntegerField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.response_status or self.note}"
