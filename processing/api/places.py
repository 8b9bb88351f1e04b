"""Places in which callers wait. Each holds a thread of this process, so there are few: the others answer at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """`most` callers wait at once."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Take a place for as long as the block lasts. False if none is free."""
        is_free = self._free.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._free.release()


# A web process has eight threads. With the two that may wait for a ping's receiver, one is always free.
LOOK_UPS = Places(3)
ENDS_OF_JOBS = Places(2)
