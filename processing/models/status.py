"""The statuses of a job and of its webhook, and the only ways between those of a job."""

from collections.abc import Mapping

from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class DeliveryStatus(models.TextChoices):
    """Of a webhook. With its receiver switched off it is held back until that is switched on again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"
    SWITCHED_OFF = "switched off"


# What callers see: a job that waits to be tried again is still being processed.
SHOWN_AS: Mapping[str, Q] = {
    Status.QUEUED: Q(status=Status.QUEUED, attempt_started_at__isnull=True),
    Status.PROCESSING: Q(status=Status.PROCESSING) | Q(status=Status.QUEUED, attempt_started_at__isnull=False),
    Status.COMPLETED: Q(status=Status.COMPLETED),
    Status.FAILED: Q(status=Status.FAILED),
}
# verb -> (statuses it may start from, status it leads to)
TRANSITIONS: Mapping[str, tuple[tuple[Status, ...], Status]] = {
    "claim": ((Status.QUEUED,), Status.PROCESSING),
    "release": ((Status.PROCESSING,), Status.QUEUED),
    "complete": ((Status.PROCESSING,), Status.COMPLETED),
    "fail": ((Status.PROCESSING,), Status.FAILED),
    "cancel": ((Status.QUEUED, Status.PROCESSING), Status.FAILED),
    "retry": ((Status.FAILED,), Status.QUEUED),
}
# With these a job stops being worked on, so that another one of its account may run.
ENDS_OF_WORK = ("release", "complete", "fail", "cancel")
