"""One POST to a caller's URL at the end of a job: its body, its signature, and what the answer means.

Headers and signature as in the Standard Webhooks specification 1.0.0.
"""

import logging
from dataclasses import dataclass

import requests
from django.conf import settings
from django.utils import timezone
from requests_hardened.ip_filter import InvalidIPAddress
from rest_framework.renderers import JSONRenderer
from standardwebhooks import Webhook

from .bodies import job_body
from .http.guard import ForbiddenAddress, open_session
from .models import WebhookDelivery
from .models.deliveries import Outcome

logger = logging.getLogger(__name__)

_TIMEOUT = (5.0, 15.0)  # connect, answer: seconds
_GONE = 410


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the receiver answered to one POST, and what that means. No status: it did not answer."""

    outcome: Outcome
    response_status: int | None = None
    note: str = ""


def payload(delivery: WebhookDelivery) -> bytes:
    """The body of a poll when the job ended, rendered at each attempt so that its link works."""
    body: bytes = JSONRenderer().render(job_body(delivery.job_at_its_end(), delivery.job.origin))
    return body


def signed_headers(delivery: WebhookDelivery, body: bytes) -> dict[str, str]:
    """The id is the same at every attempt, the timestamp is the attempt's."""
    now = timezone.now()
    signature = Webhook(delivery.job.account.webhook_secret).sign(delivery.message_id, now, body.decode())
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def attempt(delivery: WebhookDelivery) -> Answer:
    """One POST to the delivery's URL, if its address is allowed. Redirects are not followed."""
    body = payload(delivery)
    try:
        with (
            open_session(delivery.url, settings.PRIVATE_HOSTS, _TIMEOUT) as session,
            session.post(delivery.url, data=body, headers=signed_headers(delivery, body), stream=True) as response,
        ):
            return _judge(response.status_code)
    except ForbiddenAddress as error:
        return Answer(outcome=Outcome.STOP, note=str(error))
    except InvalidIPAddress:
        return Answer(outcome=Outcome.STOP, note="the host is not a public address")
    except requests.RequestException as error:
        return Answer(outcome=Outcome.AGAIN, note=f"no answer: {type(error).__name__}")


def attempt_safely(delivery: WebhookDelivery) -> Answer:
    """`attempt`, but a fault of ours counts as an attempt, too, or it would be repeated forever."""
    try:
        return attempt(delivery)
    except Exception:  # the attempt must become a row that staff can see
        logger.exception("webhook %s could not be sent", delivery.message_id)
        return Answer(outcome=Outcome.AGAIN, note="something failed on our side")


def _judge(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(outcome=Outcome.DELIVERED, response_status=status)
    if status == _GONE:
        return Answer(outcome=Outcome.STOP, response_status=status, note="the receiver wants no more")
    if 300 <= status < 400:
        return Answer(outcome=Outcome.AGAIN, response_status=status, note="redirects are not followed")
    return Answer(outcome=Outcome.AGAIN, response_status=status)
