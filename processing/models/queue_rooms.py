"""How many jobs a process may still queue without counting the queue, which takes longer the longer it is."""

import threading
from time import monotonic

# Sixteen processes, each of which queues its share of what is left, do not pass the limit together.
_SHARES = 16
_SECONDS = 1.0
_MOST = 10_000  # accounts


class QueueRooms:
    """The shares of this process, by account and limit. Of a queue that is almost full there is none: it is counted."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[int, int], tuple[int, float]] = {}  # jobs, and until when
        self._lock = threading.Lock()

    def keep(self, account_id: int, most: int, left: int) -> None:
        """Note that the account, who may have `most` jobs in the queue, may queue `left` more."""
        with self._lock:
            if len(self._rooms) >= _MOST:
                self._rooms.clear()
            self._rooms[account_id, most] = left // _SHARES, monotonic() + _SECONDS

    def take(self, account_id: int, most: int) -> bool:
        """Whether one more job may be queued without a look."""
        with self._lock:
            room, ends = self._rooms.get((account_id, most), (0, 0.0))
            if room == 0 or monotonic() > ends:
                return False
            self._rooms[account_id, most] = room - 1, ends
            return True
