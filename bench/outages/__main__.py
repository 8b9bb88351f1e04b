"""`python -m bench.outages [--seconds 60] [--storage-seconds 300] [--only CASE ...]`.

Each case runs on a production set of its own: a server is refused, stopped or dropped for so long, while 64 callers
submit and others poll and ask /healthz, or while jobs are at work. The last cases shift the clocks of the workers, and
kill everything for twice a job's time limit.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..sets.production import Production, production
from . import cases
from .clocks import shifted_clocks

_GATES = ("broker", "storage")
_SHORT_LIMIT = 30  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.outages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--storage-seconds", type=float, default=300)
    runs = _runs()
    parser.add_argument("--only", nargs="+", choices=runs, default=list(runs), metavar="CASE")
    options = parser.parse_args()
    for name in options.only:
        seconds = options.storage_seconds if "storage" in name else options.seconds
        print(f"{name} ({seconds:.0f} s)", flush=True)
        runs[name](seconds)


def _runs() -> Mapping[str, Callable[[float], None]]:
    runs: dict[str, Callable[[float], None]] = {}
    for name, (unit, outage) in cases.CALLERS.items():
        runs[f"{name}: callers"] = _on_a_set(cases.what_callers_notice, unit, outage)
    for name, (unit, outage) in cases.JOBS.items():
        runs[f"{name}: jobs"] = _on_a_set(cases.what_jobs_notice, unit, outage)
    runs["clocks"] = lambda seconds: shifted_clocks()
    runs["all off"] = lambda seconds: _all_off()
    return runs


def _on_a_set(measure: Callable[..., None], unit: str, outage: Callable[..., object]) -> Callable[[float], None]:
    def run(seconds: float) -> None:
        with _set({}) as running:
            measure(running, lambda it: outage(it, unit), seconds)

    return run


def _all_off() -> None:
    with _set({"ASTRA_JOB_TIME_LIMIT": str(_SHORT_LIMIT)}) as running:
        cases.all_off(running, 2 * _SHORT_LIMIT)


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[Production]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        production(Path(folder), environment, _GATES) as running,
    ):
        yield running


if __name__ == "__main__":
    main()
