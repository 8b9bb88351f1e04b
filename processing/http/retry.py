"""Asking hosts again that fail for a moment."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests

Answer = TypeVar("Answer")

_PASSING_STATUSES = (429, 500, 502, 503, 504)
# Seconds before each further try of a request that met a passing fault. A host that asks for more patience than the
# longest wait is given up for now: the queue tries the job again later.
_RETRY_DELAYS = (0.5, 1.0, 2.0)
_LONGEST_WAIT = 10.0
_MOST_DIGITS = 15


class PassingFault(Exception):
    """What may be gone in a moment. `retry_after` is the pause in seconds that the host asks for."""

    def __init__(self, what: str, retry_after: float = 0.0) -> None:
        super().__init__(what)
        self.what, self.retry_after = what, retry_after


def patiently(ask: Callable[[], Answer]) -> Answer:
    """What `ask` gives, asked again after a pause where it meets a PassingFault. Raises the one of the last try."""
    for delay in (*_RETRY_DELAYS, None):
        try:
            return ask()
        except PassingFault as fault:
            wait = max(delay or 0, fault.retry_after)
            if delay is None or wait > _LONGEST_WAIT:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def refuse_passing_status(response: requests.Response) -> None:
    """Raise PassingFault where the host says that it cannot answer now."""
    if response.status_code in _PASSING_STATUSES:
        raise PassingFault(f"answers with status {response.status_code}", _retry_after(response))


def _retry_after(response: requests.Response) -> float:
    """Seconds, told as such or as a date; none where the header makes no sense."""
    header = response.headers.get("Retry-After", "")
    if header.isascii() and header.isdigit():
        return float(header[:_MOST_DIGITS])
    try:
        seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, seconds)
