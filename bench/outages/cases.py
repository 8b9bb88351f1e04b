"""The outages, each on a production set of its own."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import psutil

from ..sets.production import Production
from ..sets.running import family
from .callers import JOB, calling

_CALLERS = 64
WHOLE = {
    "operation": "change_detection",
    "scene_ids": ["sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"],
}
_JOBS = 12
_LONGEST_END = 300.0

Outage = Callable[[Production], AbstractContextManager[None]]


@contextmanager
def nothing(running: Production, name: str) -> Iterator[None]:
    """No outage: what the callers themselves cost."""
    yield


@contextmanager
def refused(running: Production, name: str) -> Iterator[None]:
    """Nobody listens at the server's port."""
    running.units.hold(name, at_once=True)
    try:
        yield
    finally:
        running.units.let_go(name)


@contextmanager
def stopped(running: Production, name: str) -> Iterator[None]:
    """The server takes connections and says nothing: it is stopped by SIGSTOP, with all its processes."""
    processes = family(running.units.pid(name))
    _signal_all(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal_all(processes, signal.SIGCONT)


@contextmanager
def unavailable(running: Production, name: str) -> Iterator[None]:
    """The gate before the server answers 503."""
    os.kill(running.units.pid(name), signal.SIGUSR1)
    try:
        yield
    finally:
        os.kill(running.units.pid(name), signal.SIGUSR2)


def what_callers_notice(running: Production, outage: Outage, seconds: float) -> None:
    """Callers submit, poll and ask /healthz during the outage, and whatever was answered with 202 is there."""
    with calling(running, _CALLERS) as answers, outage(running):
        time.sleep(seconds)
    for name, got in answers.items():
        print(f"  {name}: {got}", flush=True)
    kept = running.rows("SELECT count(*) FROM processing_job")[0][0]
    completed = "SELECT count(*) FROM processing_job WHERE status = 'completed'"
    before, begun = running.rows(completed)[0][0], time.monotonic()
    running.call("POST", "/api/v1/process", json=JOB)  # or nothing would be left to complete, if all were refused
    while running.rows(completed)[0][0] == before and time.monotonic() < begun + _LONGEST_END:
        time.sleep(0.1)
    print(f"  rows {kept}, submits answered {answers['submits'].statuses[202]}; ", end="")
    print(f"next job completed {time.monotonic() - begun:.1f} s after the outage")


def what_jobs_notice(running: Production, outage: Outage, seconds: float) -> None:
    """Jobs are at work when the outage begins, and go on after it."""
    jobs = [running.call("POST", "/api/v1/process", json=WHOLE)["job_id"] for _ in range(_JOBS)]
    at_work = "SELECT count(*) FROM processing_job WHERE status = 'processing' AND progress > 0"
    while not running.rows(at_work)[0][0]:
        time.sleep(0.05)
    with outage(running):
        time.sleep(seconds)
    report_jobs(running, jobs)


def report_jobs(running: Production, jobs: list[str]) -> None:
    """Wait until the jobs have ended, and print how."""
    named = ", ".join(f"'{job}'" for job in jobs)
    begun = time.monotonic()
    unfinished = f"SELECT count(*) FROM processing_job WHERE id IN ({named}) AND completed_at IS NULL"
    while running.rows(unfinished)[0][0] and time.monotonic() < begun + _LONGEST_END:
        time.sleep(0.2)
    rows = running.rows(f"SELECT status, attempt, claims, losses, error FROM processing_job WHERE id IN ({named})")
    completed, once = sum(row[0] == "completed" for row in rows), sum(row[2] == 1 for row in rows)
    print(f"  jobs {len(rows)}: completed {completed}, as attempt 1 {sum(row[1] == 1 for row in rows)}, ", end="")
    print(f"computed once {once}, ended {time.monotonic() - begun:.1f} s after the outage")
    for error in {str(row[4]) for row in rows if row[4]}:
        print(f"  error: {error}")


def all_off(running: Production, seconds: float) -> None:
    """Every process is killed with jobs at work, and started again later."""
    names = ("beat", "control", "webhooks", "worker", "web", "broker", "database")
    jobs = [running.call("POST", "/api/v1/process", json=WHOLE)["job_id"] for _ in range(_JOBS)]
    while not running.rows("SELECT count(*) FROM processing_job WHERE status = 'processing'")[0][0]:
        time.sleep(0.05)
    for name in names:
        os.kill(running.units.pid(name), signal.SIGKILL)
        running.units.hold(name)
    time.sleep(seconds)
    for name in reversed(names):
        running.units.let_go(name)
    report_jobs(running, jobs)


def _signal_all(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


CALLERS: Mapping[str, tuple[str, Callable[..., object]]] = {
    "nothing": ("", nothing),
    "broker refused": ("broker", refused),
    "broker stopped": ("broker", stopped),
    "broker dropped": ("broker-gate", stopped),
    "database refused": ("database", refused),
    "database stopped": ("database", stopped),
}
JOBS: Mapping[str, tuple[str, Callable[..., object]]] = {
    "database refused": ("database", refused),
    "database stopped": ("database", stopped),
    "storage 503": ("storage-gate", unavailable),
    "storage silent": ("storage-gate", stopped),
}
