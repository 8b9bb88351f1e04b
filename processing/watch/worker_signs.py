"""Each worker's sign of life, given by its main process while it can reach the database."""

import logging
from datetime import timedelta
from threading import Event, Thread

from django.db import Error

from ..models.signs import Sign
from ..workers.forks import between_forks

logger = logging.getLogger(__name__)

PREFIX = "worker:"
SECONDS_BETWEEN_SIGNS = 10.0
_FORGOTTEN_AFTER = timedelta(days=1)


def give_signs(node: str, processes: int, stop: Event | None = None) -> Thread:
    """Give signs from now on, until `stop` is set or the process ends. `processes` are those that take jobs.

    A thread does so: the worker's own loop must not wait for a database that does not answer.
    """
    thread = Thread(target=_go_on, args=(node, processes, stop or Event()), name="signs-of-life", daemon=True)
    thread.start()
    return thread


def give_sign(node: str, processes: int) -> None:
    """One sign. A database that is away is only logged: the next sign is due in a few seconds."""
    with between_forks():
        try:
            Sign.objects.give(PREFIX + node, processes=processes)
        except Error as error:
            logger.warning("no sign of life: %s", error)


def forget_old_workers() -> None:
    """Containers have a new name at every start, so the names of old ones would pile up."""
    with between_forks():
        try:
            Sign.objects.filter(name__startswith=PREFIX).older_than(_FORGOTTEN_AFTER).delete()
        except Error as error:
            logger.warning("old workers are not forgotten: %s", error)


def _go_on(node: str, processes: int, stop: Event) -> None:
    forget_old_workers()
    give_sign(node, processes)
    while not stop.wait(SECONDS_BETWEEN_SIGNS):
        give_sign(node, processes)
