"""Who is calling: accounts and their API keys."""

import base64
import hmac
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from . import keys
from .plans import LIMITS, Limits
from .sealing import CannotUnseal, seal, unseal

# A rolled key or secret works this much longer, so that callers have time to take the new one.
ROLL_OVERLAP = timedelta(hours=24)
# `last_used_at` is written at most this often.
_LAST_USED_PRECISION = timedelta(minutes=5)


class KeyEnded(Exception):
    """The key was revoked or rolled before."""


def new_webhook_secret() -> str:
    """whsec_ and base64 of 32 random bytes, as in the Standard Webhooks specification."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


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
        return LIMITS[self.plan]

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


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, account: Account, mode: keys.Mode, label: str = "") -> "tuple[ApiKey, str]":
        """Make a key. Returns it with its text, which cannot be read again: only a digest is stored."""
        text = keys.new_key(mode)
        key = self.create(account=account, mode=mode, label=label, last_four=text[-4:], digest=keys.digest(text))
        return key, text

    def authenticate(self, text: str) -> "ApiKey | None":
        """The key with this text, if it works now."""
        if not keys.is_well_formed(text):
            return None
        digest = keys.digest(text)
        key = self.usable().select_related("account").filter(digest=digest).first()
        if key is None or not hmac.compare_digest(key.digest, digest):
            return None
        key.note_use()
        return key

    def usable(self) -> Self:
        now = timezone.now()
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))


class ApiKey(models.Model):
    """A key, known only by its digest. Live keys read the real catalogues, test keys the sandbox."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        TEST = "test", "Test"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    mode = models.CharField(max_length=4, choices=Mode)
    label = models.CharField(max_length=100, blank=True)
    last_four = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"astra_sk_{self.mode}_...{self.last_four}"

    @property
    def is_test(self) -> bool:
        return self.mode == self.Mode.TEST

    def note_use(self) -> None:
        """Write `last_used_at`, but not at every request."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - _LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    def revoke(self) -> bool:
        """End the key at once. False if it was revoked before."""
        return bool(ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()))

    def roll(self) -> "tuple[ApiKey, str]":
        """A new key and its text. This one works for 24 hours more. Raises KeyEnded."""
        usable = ApiKey.objects.filter(pk=self.pk, revoked_at=None, expires_at=None)
        if not usable.update(expires_at=timezone.now() + ROLL_OVERLAP):
            raise KeyEnded("This key was rolled or revoked before.")
        mode: keys.Mode = "test" if self.is_test else "live"
        return ApiKey.objects.issue(self.account, mode, self.label)
