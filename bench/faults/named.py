"""The five faults that public benchmarks of job queues name, and the throughput after each and without any.

All five are done to the database, on which everything waits, and the last two to workers as well.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from statistics import median
from typing import NamedTuple, Self

import psycopg

from ..markdown import table
from ..sets.production import Production
from ..sets.running import patiently
from .kills import JOB

_BACKLOG = 60
_AREA = [-122.45, 37.70, -122.42, 37.72]
_SMALL_JOB = {**JOB, "params": {"aoi": _AREA}}
_POOL_SECONDS = 10.0
_REPEATS = 5
_RECOVERY_SECONDS = 60.0


def compare_throughput(running: Production, twin: Production, window: float, rounds: int) -> None:
    """Print completed jobs a second in a window after each fault, round after round, and without any.

    A `twin`, to which nothing is done, works beside it on jobs of its own: a machine becomes faster and slower within
    minutes, but for both alike. So the last columns compare shares, the jobs of the one in those of the other: those
    after a fault with the median of those with no fault before them, whose spread says how exact that is.
    """
    found: dict[str, list[_Window]] = {name: [] for name in _FAULTS}
    with _standing_backlog(running) as backlog, _standing_backlog(twin):
        _measure(running, twin, window)  # warm
        for name, fault in list(_FAULTS.items()) * rounds:
            fault(running)
            recovery = _seconds_until_jobs_complete(running)
            backlog.wait_until_full()  # or what could not be submitted meanwhile would be counted as the fault's
            after = _measure(running, twin, window)._replace(recovery=recovery)
            found[name].append(after)
            print(f"  {name}: {after.rate:.2f} jobs/s, {after.share:.3f} of the twin's", file=sys.stderr, flush=True)
    undisturbed = median(after.share for after in found[_NO_FAULT])
    head = [
        "fault",
        "seconds until jobs end again",
        "then jobs/s",
        "of the twin's",
        "of those without a fault",
        "median",
    ]
    print(table(head, [_row(name, windows, undisturbed) for name, windows in found.items()]))


class _Window(NamedTuple):
    """Jobs a second, how many those are for each job of the twin's, and the seconds until jobs ended again before."""

    rate: float
    share: float
    recovery: float = 0.0


def _row(name: str, windows: Sequence[_Window], undisturbed: float) -> list[str]:
    ratios = [window.share / undisturbed for window in windows]
    recoveries, rates, shares = ([getattr(each, what) for each in windows] for what in ("recovery", "rate", "share"))
    listed = (" ".join(f"{value:.2f}" for value in values) for values in (recoveries, rates, shares, ratios))
    return [name, *listed, f"{median(ratios):.3f}"]


def _do_nothing(running: Production) -> None:
    """What two windows differ by without a fault."""


def _restart(running: Production) -> None:
    running.units.hold("database")
    running.units.let_go("database")


def _end_backends(running: Production) -> None:
    running.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def _exhaust_connections(running: Production) -> None:
    """All connections that the database allows are taken, for a while."""
    with ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(psycopg.connect(running.environment["DATABASE_URL"]))
        time.sleep(_POOL_SECONDS)


def _crash(running: Production) -> None:
    for kind in ("database", "worker"):
        for victim in running.victims(kind):
            os.kill(victim, signal.SIGKILL)


def _kill_again_and_again(running: Production) -> None:
    for _ in range(_REPEATS):
        _end_backends(running)
        for victim in running.victims("pool child"):
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        time.sleep(1)


_NO_FAULT = "none"
_FAULTS: Mapping[str, Callable[[Production], None]] = {
    _NO_FAULT: _do_nothing,
    "restart": _restart,
    "backend kills": _end_backends,
    "pool exhaustion": _exhaust_connections,
    "crash": _crash,
    "repeated kills": _kill_again_and_again,
}


class _standing_backlog:  # noqa: N801  # used as a context manager
    """Submits, in a thread, whenever fewer jobs than the backlog are unfinished."""

    def __init__(self, running: Production) -> None:
        self._running, self._done = running, threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def wait_until_full(self) -> None:
        ends = time.monotonic() + _RECOVERY_SECONDS
        while self._missing() > _BACKLOG // 10 and time.monotonic() < ends:
            time.sleep(0.1)

    def _go_on(self) -> None:
        while not self._done.wait(0.2):
            for _ in range(self._missing()):
                with suppress(Exception):  # the fault itself; the next round submits again
                    self._running.send("POST", "/api/v1/process", json=_SMALL_JOB)

    def _missing(self) -> int:
        unfinished = "SELECT count(*) FROM processing_job WHERE status IN ('queued', 'processing')"
        return int(_BACKLOG - self._running.rows(unfinished)[0][0])


def _completed(running: Production) -> int:
    count: int = running.rows("SELECT count(*) FROM processing_job WHERE status = 'completed'")[0][0]
    return count


def _measure(running: Production, twin: Production, seconds: float) -> _Window:
    counts, begun = [_completed(each) for each in (running, twin)], time.monotonic()
    time.sleep(seconds)
    ours, its = (_completed(each) - count for each, count in zip((running, twin), counts, strict=True))
    return _Window(rate=ours / (time.monotonic() - begun), share=ours / its)


def _seconds_until_jobs_complete(running: Production) -> float:
    count, begun = patiently(lambda: _completed(running)), time.monotonic()
    while _completed(running) < count + 2 and time.monotonic() < begun + _RECOVERY_SECONDS:
        time.sleep(0.1)
    return time.monotonic() - begun
