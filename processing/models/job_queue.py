"""The jobs as a queue: submitted once, claimed once, and found again if something falls through."""

from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import ApiKey

from .idempotency import IdempotencyKey, body_digest
from .status import Status

if TYPE_CHECKING:
    from .jobs import Job


class Wanted(TypedDict):
    """The columns that a submit fills. `origin` is the base of the absolute links in webhooks."""

    operation: str
    scene_ids: list[str]
    params: dict[str, Any]
    webhook_url: str | None
    origin: str


class JobQuerySet(models.QuerySet["Job"]):
    def submit(self, key: ApiKey, **wanted: Unpack[Wanted]) -> "Job":
        """Write a queued job and its first event."""
        with transaction.atomic():
            job = self.create(
                account=key.account, api_key=key, mode=key.mode, attempt_limit=settings.JOB_ATTEMPTS, **wanted
            )
            job.record("submit")
        return job

    def submit_once(
        self, key: ApiKey, idempotency_key: str | None, body: Any, **wanted: Unpack[Wanted]
    ) -> "tuple[Job, bool]":
        """Submit, or return the first job if the account sent this idempotency key with the same `body` before.

        Returns the job and whether it is new. Raises KeyOfAnotherBody.
        """
        if idempotency_key is None:
            return self.submit(key, **wanted), True
        digest = body_digest(key.mode, body)
        try:
            with transaction.atomic():
                job = self.submit(key, **wanted)
                IdempotencyKey.objects.create(account=key.account, key=idempotency_key, body_digest=digest, job=job)
        except IntegrityError:
            first = IdempotencyKey.objects.filter(account=key.account, key=idempotency_key).first()
            if first is None:
                raise  # another constraint than that of the key
            return first.job_of(digest), False
        return job, True

    def claim(self, job_id: str) -> "Job | None":
        """Take a due job to work on it. None if another worker was faster or there is nothing to do."""
        with transaction.atomic():
            job = self.filter(pk=job_id, status=Status.QUEUED, due_at__lte=timezone.now()).first()
            return job if job is not None and job.begin_attempt() else None

    def due(self) -> Self:
        """Queued jobs whose message must be sent, for the first time or again."""
        return self.filter(status=Status.QUEUED, dispatch_at__lte=timezone.now())

    def lost(self) -> Self:
        """Jobs whose worker has given no sign of life for too long."""
        return self.filter(status=Status.PROCESSING, lease_until__lt=timezone.now())

    def with_expired_result(self) -> Self:
        return self.filter(expires_at__lte=timezone.now()).exclude(result_key="")
