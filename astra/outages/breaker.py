"""What has failed is left alone for a while."""

import threading
import time
from collections.abc import Callable


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


class WatchedBreaker(Breaker):
    """Looks by itself whether what has failed is back, in a thread of its own, so that no caller waits for that.

    `look` raises one of `errors` if it is not.
    """

    def __init__(self, pause: float, look: Callable[[], object], errors: tuple[type[Exception], ...]) -> None:
        super().__init__(pause)
        self._look, self._errors = look, errors

    def allows(self) -> bool:
        if not self.is_open:
            return True
        if super().allows():
            threading.Thread(target=self._look_again, daemon=True).start()
        return False

    def _look_again(self) -> None:
        try:
            self._look()
        except self._errors:
            self.note(success=False)
        else:
            self.note(success=True)
