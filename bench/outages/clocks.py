"""Workers whose clocks are a second ahead or behind, beside one whose clock is right.

The clocks are shifted by libfaketime (Debian: `apt-get install libfaketime`).
"""

import statistics
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..sets.production import production
from .cases import WHOLE, report_jobs

_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
)
_JOBS = 20
_SHIFTS = ("+0", "+1", "-1")


def shifted_clocks() -> None:
    """Print how long jobs took from claim to end by the database's clock, with each shift."""
    library = next((path for path in _LIBRARIES if Path(path).exists()), None)
    if library is None:
        print("  not measured: there is no libfaketime on this machine")
        return
    for shift in _SHIFTS:
        environment = {"LD_PRELOAD": library, "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        seconds = _seconds_of_jobs(environment)
        print(f"  workers {shift} s: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s", flush=True)


def _seconds_of_jobs(of_worker: dict[str, str]) -> Sequence[float]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        production(Path(folder), {}, of_units={"worker": of_worker}) as running,
    ):
        jobs = [running.call("POST", "/api/v1/process", json=WHOLE)["job_id"] for _ in range(_JOBS)]
        report_jobs(running, jobs)
        rows = running.rows("SELECT attempt_started_at, completed_at FROM processing_job")
    return [_between(*row) for row in rows]


def _between(begun: datetime, ended: datetime) -> float:
    return (ended - begun).total_seconds()
