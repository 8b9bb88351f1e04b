"""How long to wait: what `Retry-After` asks for, and how often a request is tried again."""

import random
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx2

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0


def retry_after(response: httpx2.Response) -> float | None:
    """The seconds that the answer asks to wait, given as a number or as a date. None if it does not say."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())


class Patience:
    """Tries a request again for so many seconds in all, with growing pauses."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.failures = 0
        self.renew()

    def renew(self) -> None:
        """Count anew, as something went forward."""
        self._ends_at, self._pause = time.monotonic() + self._seconds, _FIRST_PAUSE

    def pause(self, asked: float | None) -> float | None:
        """Seconds until the next try: those asked for, else growing ones. None if the time does not suffice."""
        self.failures += 1
        pause = asked if asked is not None else self._pause * random.uniform(0.5, 1)  # not all callers at once
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
        return pause if time.monotonic() + pause < self._ends_at else None
