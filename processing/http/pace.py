"""Hosts that allow so many requests a second, from whatever thread they come."""

import threading
import time

from .retry import PassingFault


class Pace:
    """Turns to ask one host, at least `seconds` apart. Safe to use from several threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0
        self._lock = threading.Lock()

    def wait(self, most: float) -> None:
        """Wait for a turn. Raises PassingFault at once if it is more than `most` seconds away."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            if turn - now > most:
                raise PassingFault("asks for a pause", retry_after=turn - now)
            self._next = turn + self._seconds
        if turn > now:
            time.sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Give no turn in the next `seconds`."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
