"""A job as callers see it: in answers and in webhooks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

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


class JobSerializer(serializers.ModelSerializer[Job]):
    """The body of a job. The context needs `origin`, the base of the link to the result, and `waiting`."""

    job_id = serializers.CharField(source="id")
    status = serializers.CharField(source="shown_status")
    queue_position = serializers.SerializerMethodField()
    eta_seconds = serializers.SerializerMethodField()
    retry = serializers.SerializerMethodField()
    duration_ms = serializers.SerializerMethodField()
    webhook = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "job_id",
            "status",
            "operation",
            "scene_ids",
            "params",
            "webhook_url",
            "webhook",
            "progress",
            "attempt",
            "queue_position",
            "eta_seconds",
            "retry",
            "created_at",
            "started_at",
            "completed_at",
            "duration_ms",
            "result",
            "warnings",
            "error",
        ]

    def get_queue_position(self, job: Job) -> int | None:
        return cast("int | None", self.context["waiting"].get("queue_position"))

    def get_eta_seconds(self, job: Job) -> int | None:
        return cast("int | None", self.context["waiting"].get("eta_seconds"))

    def get_retry(self, job: Job) -> dict[str, Any] | None:
        if job.retry_reason is None:
            return None
        return {**job.retry_reason, "at": as_text(job.due_at)}

    def get_duration_ms(self, job: Job) -> int | None:
        if job.completed_at is None:
            return None
        return round((job.completed_at - job.created_at).total_seconds() * 1000)

    def get_webhook(self, job: Job) -> dict[str, Any] | None:
        return {"url": job.webhook_url, **_webhook_of(job)} if job.webhook_url else None

    def get_result(self, job: Job) -> dict[str, Any] | None:
        if job.result is None or job.expires_at is None:
            return None
        origin = self.context["origin"]
        href = links.link(job, origin)
        expired = href is None or job.has_expired
        shown = {name: value for name, value in job.result.items() if name not in _OURS}
        return {
            "href": href,
            "preview_url": links.picture_link(job, PREVIEW, origin),
            "viewer_url": links.viewer_link(job, origin),
            "type": COG_MEDIA_TYPE,
            "expires_at": as_text(job.expires_at),
            "expired": expired,
            **shown,
            **(dict.fromkeys(_NULL_AFTER_EXPIRY) if expired else {}),
        }


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
    return dict(JobSerializer(job, context={"origin": origin, "waiting": waiting or {}}).data)
