"""One POST to a host that is not ours, bounded in every way, and what its answer means."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import requests
from django.conf import settings
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from ..http import ForbiddenAddress
from ..http.deadline import in_time
from ..http.guard import open_session
from ..http.retry import PassingFault, retry_after
from ..models.webhook_attempts import MOST_KEPT, Answer, Outcome
from .addresses import check_address

_CONNECT = 3.0  # seconds
_WHOLE = 20.0  # seconds, the look-up of the name included
_FOR_THE_ANSWER = 0.75  # of the whole attempt, from the connection on: 15 s
_GONE = 410
_ASKS_FOR_A_PAUSE = (429, 503)
# The first that fits counts.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.SSLError, "no secure connection: is the certificate valid, and for this host?"),
    (requests.ConnectTimeout, f"no connection within {_CONNECT:g} s"),
    (requests.Timeout, "no answer in time"),
    (requests.ConnectionError, "no connection, or it broke off before the answer"),
)


def post(url: str, body: bytes, headers: Mapping[str, str], within: float = _WHOLE) -> Answer:
    """Send it, if the address is allowed, and have an answer `within` seconds, however slowly the host sends one."""
    started = time.monotonic()
    answer = _answer_or_fault(url, body, headers, within)
    return replace(answer, milliseconds=round((time.monotonic() - started) * 1000))


def _answer_or_fault(url: str, body: bytes, headers: Mapping[str, str], within: float) -> Answer:
    try:
        check_address(url)
        return in_time(lambda: _send(url, body, headers, within * _FOR_THE_ANSWER), within)
    except ForbiddenAddress as error:
        return Answer(outcome=Outcome.STOP, note=str(error))
    except InvalidIPAddress:
        return Answer(outcome=Outcome.STOP, note="the host is not a public address")
    except PassingFault:
        return Answer(outcome=Outcome.AGAIN, note=f"the whole attempt took longer than {within:g} s")
    except (requests.RequestException, HTTPError, UnicodeError) as error:
        notes = (note for kind, note in _FAULTS if isinstance(error, kind))
        return Answer(outcome=Outcome.AGAIN, note=next(notes, f"no answer: {type(error).__name__}"))


def _send(url: str, body: bytes, headers: Mapping[str, str], longest: float) -> Answer:
    """Redirects are not followed, and the connection is cut off after `longest` seconds."""
    plain = {**headers, "Accept-Encoding": "identity"}
    with (
        open_session(url, settings.WEBHOOK_PRIVATE_HOSTS, (_CONNECT, longest), longest) as session,
        session.post(url, data=body, headers=plain, stream=True) as response,
    ):
        # The head of an answer that the cut-off broke off looks complete.
        if response.elapsed.total_seconds() >= longest:
            raise requests.ReadTimeout
        return replace(_judge(response), response_status=response.status_code, content=_beginning(response))


def _judge(response: requests.Response) -> Answer:
    status = response.status_code
    if 200 <= status < 300:
        return Answer(outcome=Outcome.DELIVERED)
    if status == _GONE:
        return Answer(outcome=Outcome.STOP, note="the receiver wants no more")
    if 300 <= status < 400:
        return Answer(outcome=Outcome.AGAIN, note="redirects are not followed")
    pause = retry_after(response) if status in _ASKS_FOR_A_PAUSE else 0.0
    return Answer(outcome=Outcome.AGAIN, retry_after=pause)


def _beginning(response: requests.Response) -> str:
    """The first KiB of the answer as text that a page can show: without NUL, controls and marks that turn text round.

    Whatever has come when the connection ends.
    """
    content = b""
    with suppress(HTTPError, OSError):
        while len(content) < MOST_KEPT and (part := response.raw.read1(MOST_KEPT - len(content))):
            content += part
    text = content.decode(errors="replace")
    return "".join(each for each in text if each.isprintable() or each == "\n")
