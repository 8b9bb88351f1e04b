"""The end of a job, sent to its caller's URL."""

import logging

from accounts.sealing import CannotUnseal
from astra.rendering import FastJSONRenderer

from ..bodies import job_body
from ..models import WebhookDelivery
from ..models.webhook_attempts import Answer, Outcome
from .posting import post
from .signing import signed_headers

logger = logging.getLogger(__name__)


def attempt_safely(delivery: WebhookDelivery) -> Answer:
    """One POST to the delivery's URL. A fault of ours counts as an attempt, too, or it would be repeated forever."""
    try:
        body = _payload(delivery)
        return post(delivery.url, body, signed_headers(delivery.job.account, delivery.message_id, body))
    except CannotUnseal as error:
        logger.error("webhook %s could not be signed: %s", delivery.message_id, error)
        return Answer(outcome=Outcome.AGAIN, note=str(error))
    except Exception:  # the attempt must become a row that staff can see
        logger.exception("webhook %s could not be sent", delivery.message_id)
        return Answer(outcome=Outcome.AGAIN, note="something failed on our side")


def _payload(delivery: WebhookDelivery) -> bytes:
    """The body of a poll when the job ended, rendered at each attempt so that its link works."""
    body: bytes = FastJSONRenderer().render(job_body(delivery.job_at_its_end(), delivery.job.origin))
    return body
