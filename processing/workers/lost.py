"""Jobs whose worker ends before they do: its main process notices at once, before their leases end.

A process that crashed or ran out of memory is charged to the job. Any other loss is not.
"""

import logging
import re
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Timer
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.request import Request
from django.conf import settings
from django.db import DatabaseError, connection

from .. import messages
from ..models import Job, WebhookDelivery
from ..models.failures import timed_out

logger = logging.getLogger(__name__)

_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT}
_SIGNAL = re.compile(r"signal (\d+)")
_VMSTAT = Path("/proc/vmstat")
# Before the end of the grace: time in which a stopped job ends its work.
_TIME_TO_STOP = 3.0


class WorkRequest(Request):
    """A message of the task `work`, in the main process of a worker."""

    def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
        error = exc_info.exception
        if isinstance(error, WorkerLostError):
            end_lost([self.id], charged=is_crash(str(error)))
        return super().on_failure(exc_info, *args, **options)

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        if not soft:  # its process did not react to the soft limit, and is killed
            _for_jobs(lambda: Job.objects.taken_by([self.id]), lambda job: job.fail(timed_out()))
        return super().on_timeout(soft, timeout)


class DeliverRequest(Request):
    """A message of the task `deliver`, in the main process of a worker."""

    def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
        if isinstance(exc_info.exception, WorkerLostError):
            set_free(taken_by=self.id)
        return super().on_failure(exc_info, *args, **options)


def take_over(worker: str) -> None:
    """For a worker that starts: what the one of the same name had before is nobody's now, as names stand only once."""
    _for_jobs(lambda: Job.objects.at_work_of(worker), lambda job: job.hand_back("the worker was started again"))
    set_free(worker=worker)


def hand_back_before_the_end() -> None:
    """For a worker that was told to stop. Shortly before its grace ends, jobs still at work go back to the queue."""
    timer = Timer(max(0.0, settings.STOP_GRACE - _TIME_TO_STOP), _hand_back_all)
    timer.daemon = True
    timer.start()


def end_lost(message_ids: list[str], *, charged: bool) -> None:
    """End the attempts of processes that are gone. They count if `charged`."""
    reason = "the worker was lost"
    _for_jobs(
        lambda: Job.objects.taken_by(message_ids),
        lambda job: job.charge_loss(reason) if charged else job.hand_back(reason),
    )


def _hand_back_all() -> None:
    ids = [request.id for request in state.active_requests]
    _for_jobs(lambda: Job.objects.taken_by(ids), lambda job: job.hand_back("the worker was stopped"))


def set_free(**taken: str) -> None:
    """Webhooks that a lost process or worker had are due at once. Never raises: else their leases free them."""
    try:
        if WebhookDelivery.objects.under_way(**taken).set_free():
            messages.ask_for_deliveries()
    except DatabaseError:
        logger.warning("webhooks of a lost worker are left to their leases", exc_info=True)
    finally:
        connection.close()


def _for_jobs(jobs: Callable[[], Iterable[Job]], act: Callable[[Job], bool]) -> None:
    """Never raises: what cannot be written now, the sweep finds when the leases are over."""
    try:
        for job in jobs():
            if act(job):
                logger.warning("%s: its worker could not end it; it is %s now", job.id, job.status)
                messages.ask_for_work()
    except DatabaseError:
        logger.warning("jobs of a lost worker are left to the sweep", exc_info=True)
    finally:
        connection.close()  # the pool's children, which are forked from this process, must not inherit it


def is_crash(message: str) -> bool:
    """Whether the job itself ended its process, by what billiard says of the process: it crashed, or memory ran out."""
    found = _SIGNAL.search(message)
    number = int(found[1]) if found else 0
    return number in _CRASHES or (number == signal.SIGKILL and _memory.ran_out())


class _Memory:
    """The kernel's count of processes that it killed for lack of memory. It does not say which processes."""

    def __init__(self) -> None:
        self._kills = self._count()

    def ran_out(self) -> bool:
        """Whether the count has risen since the last call."""
        before, self._kills = self._kills, self._count()
        return self._kills > before

    @staticmethod
    def _count() -> int:
        found = re.search(r"^oom_kill (\d+)$", _VMSTAT.read_text(), re.MULTILINE) if _VMSTAT.exists() else None
        return int(found[1]) if found else 0


_memory = _Memory()
