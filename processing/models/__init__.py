"""Jobs, what happened to them, and the webhooks that tell their ends."""

from .deliveries import WebhookAttempt, WebhookDelivery
from .failures import error_body, timed_out
from .idempotency import IdempotencyKey, body_digest
from .jobs import TRANSITIONS, Job, JobEvent, Status, is_job_id

__all__ = [
    "TRANSITIONS",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "Status",
    "WebhookAttempt",
    "WebhookDelivery",
    "body_digest",
    "error_body",
    "is_job_id",
    "timed_out",
]
