"""Callers that submit, poll and ask for the service's health again and again, and note what they get."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from ..sets import RunningSet

JOB = {
    "operation": "ndvi",
    "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"],
    "params": {"aoi": [-122.45, 37.70, -122.42, 37.72]},
}
_PATIENCE = 20.0
_BETWEEN_SUBMITS, _BETWEEN_QUESTIONS = 1.0, 0.1  # seconds


@dataclass(kw_only=True)
class Answers:
    """Statuses, 0 for none, and the seconds that each answer took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        if len(self.seconds) < 2:
            return "-"
        p99 = statistics.quantiles(self.seconds, n=100)[98]
        counts = ", ".join(f"{count} x {status or 'none'}" for status, count in sorted(self.statuses.items()))
        return f"{counts}; p99 {p99:.2f} s, most {max(self.seconds):.2f} s"


@contextmanager
def calling(running: RunningSet, submitters: int) -> Iterator[dict[str, Answers]]:
    """In the block so many callers submit, and one each polls and asks /healthz. Yields what they get."""
    job = running.call("POST", "/api/v1/process", json=JOB)["job_id"]
    asked: dict[str, Callable[[], requests.Response]] = {
        "submits": lambda: running.send("POST", "/api/v1/process", _PATIENCE, json=JOB),
        "polls": lambda: running.send("GET", f"/api/v1/process/{job}", _PATIENCE),
        "healthz": lambda: running.send("GET", "/healthz", _PATIENCE),
    }
    answers, done = {name: Answers() for name in asked}, threading.Event()
    threads = [
        threading.Thread(target=_ask_again_and_again, args=(asked[name], answers[name], pause, done))
        for name, count, pause in (
            ("submits", submitters, _BETWEEN_SUBMITS),
            ("polls", 1, _BETWEEN_QUESTIONS),
            ("healthz", 1, _BETWEEN_QUESTIONS),
        )
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _ask_again_and_again(
    ask: Callable[[], requests.Response], answers: Answers, pause: float, done: threading.Event
) -> None:
    while not done.wait(pause):
        begun = time.monotonic()
        try:
            status = ask().status_code
        except requests.RequestException:
            status = 0
        answers.statuses[status] += 1
        answers.seconds.append(time.monotonic() - begun)
