"""Jobs, what happened to them, their webhooks and idempotency keys.

All that the service promises about a job is kept here, by conditional UPDATEs and constraints of the database.
Nothing in here sends a message, reads a file or knows a request.
"""

from .deliveries import Outcome, WebhookAttempt, WebhookDelivery
from .events import JobEvent
from .failures import error_body, timed_out
from .idempotency import IdempotencyKey, KeyOfAnotherBody
from .jobs import Job, is_job_id
from .status import Status

__all__ = [
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "KeyOfAnotherBody",
    "Outcome",
    "Status",
    "WebhookAttempt",
    "WebhookDelivery",
    "error_body",
    "is_job_id",
    "timed_out",
]
