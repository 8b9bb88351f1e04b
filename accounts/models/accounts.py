"""Accounts: their plan, and the secret that their webhooks are signed with."""

import base64
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.utils import timezone

from ..plans import Limits, check_changes
from ..sealing import CannotUnseal, seal, unseal

# A rolled key or secret works this much longer, so that callers have time to take the new one.
ROLL_OVERLAP = timedelta(hours=24)


def new_webhook_secret() -> str:
    """whsec_ and base64 of 32 random bytes, as in the Standard Webhooks specification."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_own_limits(value: Any) -> None:
    """Raises ValidationError."""
    try:
        check_changes(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def new_sealed_webhook_secret() -> str:
    return seal(new_webhook_secret())


class Account(models.Model):
    """A customer. Jobs and keys belong to it, webhooks are signed with its secret."""

    class Plan(models.TextChoices):
        FREE = "free", "Free"
        PRO = "pro", "Pro"
        SCALE = "scale", "Scale"
        ENTERPRISE = "enterprise", "Enterprise"

    name = models.CharField(max_length=100, unique=True)
    plan = models.CharField(max_length=20, choices=Plan, default=Plan.FREE)
    own_limits = models.JSONField(
        null=True,
        blank=True,
        validators=[check_own_limits],
        help_text='Of plan Enterprise only: limits that differ from those of the plan, such as {"queued_jobs": 9000}.',
    )
    sealed_webhook_secret = models.TextField(
        db_column="webhook_secret", default=new_sealed_webhook_secret, editable=False
    )
    sealed_webhook_secret_before = models.TextField(null=True, editable=False)
    webhook_secret_rolled_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    is_authenticated = True  # REST framework asks this of `request.user`

    def __str__(self) -> str:
        return self.name

    @property
    def limits(self) -> Limits:
        of_plan: Limits = settings.PLAN_LIMITS[self.plan]
        return of_plan.changed(self.own_limits or {}) if self.plan == self.Plan.ENTERPRISE else of_plan

    @property
    def webhook_secret(self) -> str:
        """Raises CannotUnseal."""
        return unseal(self.sealed_webhook_secret)

    def webhook_secrets(self) -> list[str]:
        """Those that webhooks are signed with: for a day after a roll the one before, too. Raises CannotUnseal."""
        signing, rolled = [self.webhook_secret], self.webhook_secret_rolled_at
        if self.sealed_webhook_secret_before and rolled and timezone.now() - rolled < ROLL_OVERLAP:
            with suppress(CannotUnseal):  # rolled because it was lost with the pepper before
                signing.append(unseal(self.sealed_webhook_secret_before))
        return signing

    def roll_webhook_secret(self) -> str:
        """A new secret. The one before signs for 24 hours more; one that was rolled before that ends at once."""
        secret = new_webhook_secret()
        Account.objects.filter(pk=self.pk).update(
            sealed_webhook_secret_before=F("sealed_webhook_secret"),
            sealed_webhook_secret=seal(secret),
            webhook_secret_rolled_at=timezone.now(),
        )
        self.refresh_from_db()
        return secret
