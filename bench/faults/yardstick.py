"""How fast the machine is while something else is measured on it.

A rented machine becomes a third slower and faster again within minutes. What a fixed piece of work takes meanwhile
tells that from what the service itself does.
"""

import threading
import time
import zlib
from random import Random
from typing import Self

_PAUSE_SECONDS = 0.1
_CONTENT = bytes(value // 8 for value in Random(1).randbytes(100_000))


class Yardstick:
    """Does the piece of work again and again, which takes about a twentieth of one core. Used as a context manager."""

    def __init__(self) -> None:
        self._pieces, self._seconds = 0, 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def seconds_since(self, earlier: tuple[int, float]) -> float:
        """Processor time of one piece since then."""
        pieces, seconds = self.now()
        return (seconds - earlier[1]) / (pieces - earlier[0])

    def now(self) -> tuple[int, float]:
        """To be given to `seconds_since` later."""
        return self._pieces, self._seconds

    def _go_on(self) -> None:
        while not self._done.wait(_PAUSE_SECONDS):
            begun = time.thread_time()
            zlib.compress(_CONTENT, 6)
            sum(range(200_000))
            self._seconds += time.thread_time() - begun
            self._pieces += 1
