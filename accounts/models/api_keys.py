"""API keys: which ones work, until when and for what."""

import hmac
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from astra.databases.compiled import CompiledQuery

from .. import keys
from .accounts import ROLL_OVERLAP, Account

# `last_used_at` is written at most this often.
_LAST_USED_PRECISION = timedelta(minutes=5)
_READING = ("GET", "HEAD", "OPTIONS")


class KeyEnded(Exception):
    """The key was revoked or rolled before, or its time is over."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(
        self,
        account: Account,
        mode: keys.Mode,
        label: str = "",
        *,
        scope: "ApiKey.Scope | str" = "all",
        expires_at: datetime | None = None,
    ) -> "tuple[ApiKey, str]":
        """Make a key. Returns it with its text, which cannot be read again: only a digest is stored."""
        text = keys.new_key(mode)
        stored = {"last_four": text[-4:], "digest": keys.digest(text)}
        key = self.create(account=account, mode=mode, label=label, scope=scope, expires_at=expires_at, **stored)
        return key, text

    def usable(self) -> Self:
        now = timezone.now()
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))


class ApiKey(models.Model):
    """A key, known only by its digest. Live keys read the real catalogues, test keys the sandbox."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        TEST = "test", "Test"

    class Scope(models.TextChoices):
        """What the key may be used for. `read` asks, `process` submits, cancels and deletes."""

        ALL = "all", "Everything"
        READ = "read", "Reading only"
        PROCESS = "process", "Processing only"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    mode = models.CharField(max_length=4, choices=Mode)
    scope = models.CharField(max_length=7, choices=Scope, default=Scope.ALL, db_default=Scope.ALL)
    label = models.CharField(max_length=100, blank=True)
    last_four = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    rolled_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    new_text = ""  # of a key that was just made in the admin; never stored

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"astra_sk_{self.mode}_...{self.last_four}"

    @property
    def is_test(self) -> bool:
        return self.mode == self.Mode.TEST

    @property
    def is_usable(self) -> bool:
        """As `ApiKeyQuerySet.usable`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def note_use(self) -> None:
        """Write `last_used_at`, but not at every request."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - _LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    @staticmethod
    def authenticate(text: str) -> "ApiKey | None":
        """The key with this text, if it works now."""
        if not keys.is_well_formed(text):
            return None
        digest = keys.digest(text)
        key = _BY_DIGEST.first(digest)
        if key is None or not key.is_usable or not hmac.compare_digest(key.digest, digest):
            return None
        key.note_use()
        return key

    def revoke(self) -> bool:
        """End the key at once. False if it was revoked before."""
        return bool(ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()))

    def roll(self) -> "tuple[ApiKey, str]":
        """A new key, which ends when this one would have ended, and its text. Raises KeyEnded.

        This one works for 24 hours more, or until its end if that comes first.
        """
        now = timezone.now()
        end = min(now + ROLL_OVERLAP, self.expires_at or datetime.max.replace(tzinfo=UTC))
        usable = ApiKey.objects.usable().filter(pk=self.pk, rolled_at=None)
        if not usable.update(rolled_at=now, expires_at=end):
            raise KeyEnded("This key was rolled or revoked before, or its time is over.")
        mode: keys.Mode = "test" if self.is_test else "live"
        return ApiKey.objects.issue(self.account, mode, self.label, scope=self.scope, expires_at=self.expires_at)

    def missing_scope(self, method: str) -> str:
        """The scope that a request by this HTTP method needs and the key lacks. Empty if it may be sent."""
        needed = self.Scope.READ if method in _READING else self.Scope.PROCESS
        return "" if self.scope in (self.Scope.ALL, needed) else needed.value


def _with_account(digest: str) -> models.QuerySet[ApiKey]:
    return ApiKey.objects.select_related("account").filter(digest=digest).order_by()


_BY_DIGEST = CompiledQuery(_with_account, str)
