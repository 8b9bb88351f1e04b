"""What a thread of a worker's main process does at the database and the broker, while that process forks its pool."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import connection

# A child that is forked meanwhile would inherit locks that nobody opens, and a connection that is not its own.
_busy = Lock()
os.register_at_fork(before=_busy.acquire, after_in_parent=_busy.release, after_in_child=_busy.release)


@contextmanager
def between_forks() -> Iterator[None]:
    """The process forks before or after, and inherits no connection of this thread."""
    with _busy:
        try:
            yield
        finally:
            connection.close()
