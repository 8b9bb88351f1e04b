"""Hosts that take the webhooks of an account. One that only fails for days is switched off.

By host, because many callers put an id of their own into each URL.
"""

import logging
from datetime import timedelta

from django.db import models, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now

from accounts.models import Account

from .clock import from_now
from .status import DeliveryStatus

logger = logging.getLogger(__name__)

_FAILS_AT_MOST = timedelta(days=5)
# Failures further apart say nothing of the time between them.
_SILENCE = timedelta(days=2)


class WebhookReceiverQuerySet(models.QuerySet["WebhookReceiver"]):
    def of(self, account_id: int, host: str) -> "WebhookReceiver":
        return self.get_or_create(account_id=account_id, host=host)[0]

    def switched_off(self) -> "WebhookReceiverQuerySet":
        return self.filter(switched_off_at__isnull=False)


class WebhookReceiver(models.Model):
    """One host for one account, since when it only fails, and whether it is switched off."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhook_receivers")
    host = models.CharField(max_length=255, blank=True)
    failing_since = models.DateTimeField(null=True)  # the first failure after the last success
    last_failed_at = models.DateTimeField(null=True)
    switched_off_at = models.DateTimeField(null=True)

    objects = WebhookReceiverQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "host"], name="webhook_receiver_once")]
        indexes = [
            models.Index(fields=["switched_off_at"], name="receivers_off", condition=Q(switched_off_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.host} of {self.account}"

    def switch_on(self) -> None:
        """Also after each success: it works. What was held back is due, with as many attempts as a new delivery."""
        with transaction.atomic():
            troubled = WebhookReceiver.objects.filter(pk=self.pk).exclude(failing_since=None, switched_off_at=None)
            troubled.update(failing_since=None, last_failed_at=None, switched_off_at=None)
            held_back = self.deliveries.filter(status=DeliveryStatus.SWITCHED_OFF)
            held_back.update(status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=Now())

    def note_failure(self) -> None:
        """Switch it off if it has only failed for five days. Its pending deliveries are held back."""
        me = WebhookReceiver.objects.filter(pk=self.pk)
        begins_anew = When(last_failed_at__lt=from_now(-_SILENCE), then=Now())
        since = Case(begins_anew, default=Coalesce(F("failing_since"), Now()))
        me.update(failing_since=since, last_failed_at=Now())
        if me.filter(switched_off_at=None, failing_since__lt=from_now(-_FAILS_AT_MOST)).update(switched_off_at=Now()):
            logger.warning("the receiver %s is switched off: it has only failed for five days", self)
        if me.switched_off().exists():
            self.deliveries.filter(status=DeliveryStatus.PENDING).update(status=DeliveryStatus.SWITCHED_OFF)
