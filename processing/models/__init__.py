"""Jobs, what happened to them, their webhooks and idempotency keys.

All that the service promises about a job is kept here, by conditional UPDATEs and constraints of the database.
Nothing in here sends a message, reads a file or knows a request.
"""

from . import signs as signs
from .deliveries import WebhookDelivery
from .events import JobEvent
from .idempotency import IdempotencyKey
from .jobs import Job
from .webhook_receivers import WebhookReceiver as WebhookReceiver

__all__ = ["IdempotencyKey", "Job", "JobEvent", "WebhookDelivery"]
