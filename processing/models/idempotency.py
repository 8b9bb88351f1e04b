"""Idempotency-Key: the same submit sent twice makes one job."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone

from accounts.models import Account

KEPT_FOR = timedelta(hours=24)


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def outlived(self, now: datetime) -> Self:
        return self.filter(created_at__lt=now - KEPT_FOR)


class IdempotencyKey(models.Model):
    """A key that an account sent with a submit, and the job that came of it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    job = models.ForeignKey("processing.Job", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_keys_by_age")]

    def __str__(self) -> str:
        return self.key


def body_digest(mode: str, body: Any) -> str:
    """The same for bodies that mean the same, in whatever order their fields stand; test and live differ."""
    return hashlib.sha256(json.dumps([mode, body], sort_keys=True).encode()).hexdigest()
