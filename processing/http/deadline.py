"""An answer in time, or none."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from .retry import PassingFault

Answer = TypeVar("Answer")

_LATE = "does not answer in time"


def in_time(ask: Callable[[], Answer], seconds: float) -> Answer:
    """Return what `ask` returns. Raises PassingFault if that takes more than `seconds`.

    A thread asks, because a name is looked up and a host's addresses are tried without a limit on all of them. If it is
    late, it ends by the timeouts of its own connection.
    """
    if seconds <= 0:
        raise PassingFault(_LATE)
    answer: Future[Answer] = Future()
    threading.Thread(target=_keep, args=(answer, ask), daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise PassingFault(_LATE) from None


def _keep(answer: Future[Answer], ask: Callable[[], Answer]) -> None:
    try:
        answer.set_result(ask())
    except BaseException as error:
        answer.set_exception(error)
