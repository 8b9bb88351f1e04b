"""What has failed is left alone for a while."""

import threading
import time


class Breaker:
    """After a failure nothing is tried for `pause` seconds, and then by one thread first, for which no other waits."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._failed = False
        self._not_before = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the last try failed."""
        return self._failed

    def allows(self) -> bool:
        """Whether the caller may try now."""
        with self._lock:
            now = time.monotonic()
            if self._failed and now < self._not_before:
                return False
            self._not_before = now + self._pause
            return True

    def note(self, *, success: bool) -> None:
        with self._lock:
            self._failed = not success
            self._not_before = time.monotonic() + self._pause
