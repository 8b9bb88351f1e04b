"""The statuses of a job and of its webhook, and the only ways between those of a job."""

from collections.abc import Mapping

from django.db import models


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
