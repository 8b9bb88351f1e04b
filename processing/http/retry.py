"""Asking a host again that fails for a moment."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import TypeVar

import requests

Answer = TypeVar("Answer")

_PASSING_STATUSES = (429, 500, 502, 503, 504)
# Seconds before each further try. A host that asks for a longer pause than the longest wait is left alone for now: the
# queue tries the job again later.
_RETRY_DELAYS = (0.5, 1.0, 2.0)
LONGEST_WAIT = 10.0
_MOST_DIGITS = 15


class PassingFault(Exception):
    """A fault that may be gone in a moment. `fault` ends a sentence that begins with the host.

    `retry_after` is the pause in seconds that the host asks for, 0 if it does not ask.
    """

    def __init__(self, fault: str, retry_after: float = 0.0) -> None:
        super().__init__(fault)
        self.fault, self.retry_after = fault, retry_after


def patiently(ask: Callable[[], Answer], within: float = inf) -> Answer:
    """Return what `ask` returns. On a PassingFault ask again after a pause; raises the fault of the last try.

    No try begins once `within` seconds are over.
    """
    ends = time.monotonic() + within
    for delay in _RETRY_DELAYS:
        try:
            return ask()
        except PassingFault as fault:
            wait = max(delay, fault.retry_after)
            if wait > min(LONGEST_WAIT, ends - time.monotonic()):
                raise
            time.sleep(wait)
    return ask()


def refuse_passing_status(response: requests.Response) -> None:
    """Raise PassingFault if the host says that it cannot answer now."""
    if response.status_code in _PASSING_STATUSES:
        raise PassingFault(f"answers with status {response.status_code}", retry_after(response))


def retry_after(response: requests.Response) -> float:
    """Seconds, whether the header has a number or a date; 0 if it makes no sense."""
    header = response.headers.get("Retry-After", "")
    if header.isascii() and header.isdigit():
        return float(header[:_MOST_DIGITS])
    try:
        seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, seconds)
