"""What is done right after an answer, so that no caller waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

# In which more of the same may come, which is then done once. Nobody notices that a job begins so much later.
_PAUSE_SECONDS = 0.05


class Errands:
    """A thread that does one thing after the other. What is asked for again before its turn is done once."""

    def __init__(self) -> None:
        self._asked: dict[tuple[Callable[..., object], tuple[Any, ...]], None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, errand: Callable[..., object], *arguments: Any) -> None:
        with self._changed:
            self._asked[errand, arguments] = None
            if self._thread is None or not self._thread.is_alive():  # as after a fork
                self._thread = threading.Thread(target=self._go_on, name="errands", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _go_on(self) -> None:
        while True:
            for errand, arguments in self._next():
                try:
                    errand(*arguments)
                except Exception:
                    logger.exception("an errand went wrong")
            time.sleep(_PAUSE_SECONDS)

    def _next(self) -> list[tuple[Callable[..., object], tuple[Any, ...]]]:
        with self._changed:
            self._changed.wait_for(lambda: self._asked)
            taken = list(self._asked)
            self._asked.clear()
        return taken


_errands = Errands()


def soon(errand: Callable[..., object], *arguments: Any) -> None:
    """In a web process after the answer, by a thread that has no connection to the database; elsewhere at once."""
    if settings.IS_WEB:
        _errands.ask(errand, *arguments)
    else:
        errand(*arguments)
