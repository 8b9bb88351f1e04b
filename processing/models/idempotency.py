"""Idempotency-Key: a submit that is sent twice makes one job."""

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils import timezone

from accounts.models import Account, ApiKey

if TYPE_CHECKING:
    from .jobs import Job

_KEPT_FOR = timedelta(hours=24)


class KeyOfAnotherBody(Exception):
    """The key was sent before, with another body."""


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def outlived(self) -> Self:
        return self.filter(created_at__lt=timezone.now() - _KEPT_FOR)


class IdempotencyKey(models.Model):
    """A key that an account sent with a submit, and the job that it made. Those of test and live keys are apart."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=4, choices=ApiKey.Mode, db_default=ApiKey.Mode.LIVE)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    job = models.ForeignKey("processing.Job", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "mode", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_keys_by_age")]

    def __str__(self) -> str:
        return self.key

    def job_of(self, digest: str) -> "Job":
        """The job, if the body was the same. Raises KeyOfAnotherBody."""
        if self.body_digest != digest:
            raise KeyOfAnotherBody
        return self.job


def body_digest(mode: str, body: Any) -> str:
    """A digest that does not depend on the order of the body's fields."""
    return hashlib.sha256(json.dumps([mode, body], sort_keys=True).encode()).hexdigest()
