"""A signed ping, by which callers see that their receiver works. Nothing of it is stored."""

import threading
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Account
from astra.rendering import FastJSONRenderer

from ..models import WebhookReceiver
from ..models.deliveries import host_of, new_message_id
from ..models.webhook_attempts import Answer, Outcome
from .posting import post
from .signing import signed_headers

_WITHIN = 10.0  # seconds
_AT_ONCE = 2
_turns = threading.BoundedSemaphore(_AT_ONCE)


class TooManyPings(Exception):
    """As many as this process sends at once are under way."""


@dataclass(frozen=True, kw_only=True)
class Ping:
    """What was sent, and what became of it."""

    headers: dict[str, str]
    answer: Answer

    @property
    def delivered(self) -> bool:
        return self.answer.outcome is Outcome.DELIVERED


def send_ping(account: Account, url: str) -> Ping:
    """One POST. A receiver that takes it is switched on again. Raises TooManyPings, CannotUnseal."""
    if not _turns.acquire(blocking=False):
        raise TooManyPings
    try:
        body: bytes = FastJSONRenderer().render({"event": "ping", "sent_at": timezone.now().isoformat()})
        headers = signed_headers(account, new_message_id(), body)
        ping = Ping(headers=headers, answer=post(url, body, headers, _WITHIN))
    finally:
        _turns.release()
    if ping.delivered:
        for receiver in WebhookReceiver.objects.filter(account=account, host=host_of(url)):
            receiver.switch_on()
    return ping
