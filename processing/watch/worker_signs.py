"""Each worker's sign of life, given by its main process while it can reach the database."""

import logging
import os
from datetime import timedelta
from threading import Event, Lock, Thread

from django.db import Error, connection

from ..models.signs import Sign

logger = logging.getLogger(__name__)

PREFIX = "worker:"
SECONDS_BETWEEN_SIGNS = 10.0
_FORGOTTEN_AFTER = timedelta(days=1)

# Held while the thread uses the database. A child that is forked meanwhile would inherit locks that nobody opens.
_at_the_database = Lock()
os.register_at_fork(
    before=_at_the_database.acquire,
    after_in_parent=_at_the_database.release,
    after_in_child=_at_the_database.release,
)


def give_signs(node: str, stop: Event | None = None) -> Thread:
    """Give signs from now on, until `stop` is set or the process ends.

    A thread does so: the worker's own loop must not wait for a database that does not answer.
    """
    thread = Thread(target=_go_on, args=(node, stop or Event()), name="signs-of-life", daemon=True)
    thread.start()
    return thread


def give_sign(node: str) -> None:
    """One sign. A database that is away is only logged: the next sign is due in a few seconds."""
    with _at_the_database:
        try:
            Sign.objects.give(PREFIX + node)
        except Error as error:
            logger.warning("no sign of life: %s", error)
        finally:
            connection.close()


def forget_old_workers() -> None:
    """Containers have a new name at every start, so the names of old ones would pile up."""
    with _at_the_database:
        try:
            Sign.objects.filter(name__startswith=PREFIX).older_than(_FORGOTTEN_AFTER).delete()
        except Error as error:
            logger.warning("old workers are not forgotten: %s", error)
        finally:
            connection.close()


def _go_on(node: str, stop: Event) -> None:
    forget_old_workers()
    give_sign(node)
    while not stop.wait(SECONDS_BETWEEN_SIGNS):
        give_sign(node)
