"""Jobs whose worker ends before they do: its main process notices at once, before their leases end.

A process that a signal of a crash or a lack of memory killed is charged to the job. Any other loss is not.
"""

import logging
import re
import signal
from pathlib import Path
from threading import Timer
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.request import Request
from django.conf import settings
from django.db import DatabaseError, connection

from . import messages
from .models import Job
from .models.failures import timed_out

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
            _end_attempts([self.id], charged=_is_crash(str(error)))
        return super().on_failure(exc_info, *args, **options)

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        if not soft:  # its process did not react to the soft limit, and is killed
            _fail_for_time([self.id])
        return super().on_timeout(soft, timeout)


def hand_back_before_the_end() -> None:
    """Called when a worker is told to stop: what it has not finished shortly before the end goes back to the queue."""
    timer = Timer(max(0.0, settings.STOP_GRACE - _TIME_TO_STOP), _hand_back_all)
    timer.daemon = True
    timer.start()


def _hand_back_all() -> None:
    _end_attempts([request.id for request in state.active_requests], charged=False, reason="the worker was stopped")


def _end_attempts(message_ids: list[str], *, charged: bool, reason: str = "the worker was lost") -> None:
    try:
        for job in Job.objects.taken_by(message_ids):
            ended = job.charge_loss(reason) if charged else job.hand_back(reason)
            logger.warning("%s: %s, charged: %s", job.id, reason, charged and ended)
        messages.ask_for_work()
    except DatabaseError:
        logger.warning("jobs of lost workers are left to the sweep", exc_info=True)
    finally:
        connection.close()


def _fail_for_time(message_ids: list[str]) -> None:
    try:
        for job in Job.objects.taken_by(message_ids):
            job.fail(timed_out())
    except DatabaseError:
        logger.warning("jobs that took too long are left to the sweep", exc_info=True)
    finally:
        connection.close()


def _is_crash(message: str) -> bool:
    """Whether the job made its process end: by a crash, or by all memory that there was."""
    found = _SIGNAL.search(message)
    number = int(found[1]) if found else 0
    return number in _CRASHES or (number == signal.SIGKILL and _memory.ran_out())


class _Memory:
    """Whether the kernel has killed a process for lack of memory since the last look. It cannot be told which."""

    def __init__(self) -> None:
        self._kills = self._count()

    def ran_out(self) -> bool:
        before, self._kills = self._kills, self._count()
        return self._kills > before

    @staticmethod
    def _count() -> int:
        found = re.search(r"^oom_kill (\d+)$", _VMSTAT.read_text(), re.MULTILINE) if _VMSTAT.exists() else None
        return int(found[1]) if found else 0


_memory = _Memory()
