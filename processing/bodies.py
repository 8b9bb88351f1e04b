"""A job as callers see it: in answers and in webhooks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rest_framework import serializers

from astra.times import as_text

from . import links
from .models import Job
from .models.status import DeliveryStatus
from .raster.types import COG_MEDIA_TYPE, PREVIEW

# Signed anew for every answer, and null after expiry.
LINKS = ("href", "preview_url", "viewer_url")
_NULL_AFTER_EXPIRY = ("quality", "notes")
_OURS = ("pictures",)  # of what is kept of a result


class Shown(NamedTuple):
    """A job, the base of the links to its result, and what `waiting_of` says of it."""

    job: Job
    origin: str
    waiting: Mapping[str, int | None]


class JobSerializer(serializers.Serializer[Shown]):
    """The body of a job."""

    job_id = serializers.CharField(source="job.id")
    status = serializers.CharField(source="job.shown_status")
    operation = serializers.CharField(source="job.operation")
    scene_ids = serializers.JSONField(source="job.scene_ids")
    params = serializers.JSONField(source="job.params")
    webhook_url = serializers.CharField(source="job.webhook_url")
    webhook = serializers.SerializerMethodField()
    progress = serializers.IntegerField(source="job.progress")
    attempt = serializers.IntegerField(source="job.attempt")
    queue_position = serializers.SerializerMethodField()
    eta_seconds = serializers.SerializerMethodField()
    retry = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="job.created_at")
    started_at = serializers.DateTimeField(source="job.started_at")
    completed_at = serializers.DateTimeField(source="job.completed_at")
    duration_ms = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    warnings = serializers.JSONField(source="job.warnings")
    error = serializers.JSONField(source="job.error")

    def get_webhook(self, shown: Shown) -> dict[str, Any] | None:
        job = shown.job
        return {"url": job.webhook_url, **_webhook_of(job)} if job.webhook_url else None

    def get_queue_position(self, shown: Shown) -> int | None:
        return shown.waiting.get("queue_position")

    def get_eta_seconds(self, shown: Shown) -> int | None:
        return shown.waiting.get("eta_seconds")

    def get_retry(self, shown: Shown) -> dict[str, Any] | None:
        job = shown.job
        return None if job.retry_reason is None else {**job.retry_reason, "at": as_text(job.due_at)}

    def get_duration_ms(self, shown: Shown) -> int | None:
        job = shown.job
        return None if job.completed_at is None else round((job.completed_at - job.created_at).total_seconds() * 1000)

    def get_result(self, shown: Shown) -> dict[str, Any] | None:
        job, origin = shown.job, shown.origin
        if job.result is None or job.expires_at is None:
            return None
        href = links.link(job, origin)
        expired = href is None or job.has_expired
        kept = {name: value for name, value in job.result.items() if name not in _OURS}
        return {
            "href": href,
            "preview_url": links.picture_link(job, PREVIEW, origin),
            "viewer_url": links.viewer_link(job, origin),
            "type": COG_MEDIA_TYPE,
            "expires_at": as_text(job.expires_at),
            "expired": expired,
            **kept,
            **(dict.fromkeys(_NULL_AFTER_EXPIRY) if expired else {}),
        }


# One for all jobs: making a serializer takes several times as long as its use.
_SERIALIZER = JobSerializer()


def _webhook_of(job: Job) -> dict[str, Any]:
    """Of a job that was read `with_webhook`, its webhook as it is now; of others, as it was when the job ended."""
    known: Mapping[str, Any] | None = getattr(job, "last_webhook", None)
    if known is None or not job.is_finished:
        state = DeliveryStatus.PENDING if job.is_finished else "waiting"
        return {"state": state, "attempts": 0, "last_status": None, "next_attempt_at": None}
    later = known["status"] == DeliveryStatus.PENDING and known["attempts"] > 0  # else at once, or never
    return {
        "state": known["status"].replace(" ", "_"),
        "attempts": known["attempts"],
        "last_status": known["last_status"],
        "next_attempt_at": as_text(_moment(known["next_attempt_at"])) if later else None,
    }


def _moment(text: str) -> datetime:
    """A time as a database writes it into JSON: SQLite in UTC, without a zone."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def job_body(job: Job, origin: str, waiting: Mapping[str, int | None] | None = None) -> dict[str, Any]:
    """The body of a job; `origin` is the base of the link to its result, `waiting` what `waiting_of` says of it."""
    return dict(_SERIALIZER.to_representation(Shown(job, origin, waiting or {})))
