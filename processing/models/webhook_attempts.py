"""One POST of a webhook: what the receiver answered, what that means, and when the next one follows."""

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.db import models
from django.utils import timezone

# Of what an answer says: characters that a row keeps.
MOST_KEPT = 1024
_JITTER = 0.2  # so that receivers that were down together are not called together
_LONGEST_PAUSE = 86_400.0  # seconds that a receiver may ask for


class Outcome(Enum):
    """What one attempt means for the delivery."""

    DELIVERED = "delivered"
    AGAIN = "again"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the receiver answered to one POST. No status: it did not answer, and `note` says why.

    `content` is the beginning of its body, `retry_after` the pause in seconds that it asks for, 0 if it does not ask.
    """

    outcome: Outcome
    response_status: int | None = None
    note: str = ""
    content: str = ""
    milliseconds: int = 0
    retry_after: float = 0.0


class WebhookAttempt(models.Model):
    """One POST and its answer, as staff see it."""

    delivery = models.ForeignKey("processing.WebhookDelivery", on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    response_status = models.PositiveSmallIntegerField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)  # null: written before this was kept
    note = models.CharField(max_length=500, blank=True)
    content = models.CharField(max_length=MOST_KEPT, null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.response_status or self.note}"


def pause_after(attempts: int, asked_for: float) -> timedelta | None:
    """How long to wait after so many failed attempts; None if there are no more.

    A receiver may ask for a longer pause than planned, up to a day.
    """
    delays = settings.WEBHOOK_DELAYS
    if attempts > len(delays):
        return None
    planned = delays[attempts - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)
    return timedelta(seconds=max(planned, min(asked_for, _LONGEST_PAUSE)))
