"""Idle workers look at the rows themselves: a message may be lost, and some rows come due without one."""

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

from celery.worker import state
from django.db import Error
from django.db.models import QuerySet

from .. import messages
from ..models import Job, WebhookDelivery
from .forks import between_forks

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 1.0

Due = Callable[[], "QuerySet[Any]"]

# What is due for the workers of a queue, and the task that takes it.
_WORK_OF: Mapping[str, tuple[Due, str]] = {
    "rasters": (lambda: Job.objects.due(), messages.WORK),
    "webhooks": (lambda: WebhookDelivery.objects.due(), messages.DELIVER),
}


def keep_looking(queue: str, processes: int, stop: Event | None = None) -> Thread | None:
    """Look again and again, in a thread of a worker's main process, until `stop` is set or the process ends.

    `processes` are those of its pool. None if nothing comes due for the queue.
    """
    if queue not in _WORK_OF:
        return None
    thread = Thread(target=_go_on, args=(queue, processes, stop or Event()), name="looks", daemon=True)
    thread.start()
    return thread


def look(queue: str, free: int) -> None:
    """Ask for what is due, up to as much as there are `free` processes. Never raises: the next look comes soon."""
    due, task = _WORK_OF[queue]
    with between_forks():
        try:
            messages.ask_again(task, len(due().values_list("pk")[:free]))
        except Error as error:
            logger.warning("the database is away: %s", error)


def _go_on(queue: str, processes: int, stop: Event) -> None:
    while not stop.wait(_SECONDS_BETWEEN_LOOKS):
        free = processes - len(state.active_requests)
        if free > 0:
            look(queue, free)
