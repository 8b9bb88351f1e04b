"""Many processes at once on one key: `python -m bench.limits [--processes 8] [--seconds 5]`.

On a Valkey of its own: how many requests each plan admits, beside the most that it may; whether the headers are right
when nothing is left and once the bucket is full again; and how long a check takes.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import django
import redis

from accounts.plans import Limits, plan_limits

from .markdown import table


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process saw: when it began and ended, its requests that were admitted, and the seconds of each check."""

    began: float
    ended: float
    admitted: int
    checks: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Found:
    """`most` may be admitted in the time that the runs took together."""

    admitted: int
    most: int
    checks: Sequence[float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    from tests.production_set import valkey  # of tests/requirements.txt

    rows = []
    with valkey() as url:
        for plan, limits in plan_limits("", pixels_per_job=1).items():
            found = all_at_once(url, plan, limits, arguments.processes, arguments.seconds)
            alone = all_at_once(url, f"{plan}-alone", limits, 1, 1.0)
            rows.append([plan, str(found.admitted), str(found.most), *_milliseconds(found), *_milliseconds(alone)])
    head = ("plan", "admitted", "most allowed", "check, ms", "p99", "one process, ms", "p99")
    print(table(head, rows))


def all_at_once(url: str, name: str, limits: Limits, processes: int, seconds: float) -> Found:
    """Every process asks as fast as it can. Raises AssertionError if the headers contradict what was admitted."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_set_up) as pool:
        runs = pool.starmap(_ask, [(url, name, limits, seconds)] * processes, chunksize=1)
    lasted = max(run.ended for run in runs) - min(run.began for run in runs)
    return Found(
        admitted=sum(run.admitted for run in runs),
        most=limits.burst + int(lasted * limits.requests_per_minute / 60),
        checks=[check for run in runs for check in run.checks],
    )


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astra.settings")
    django.setup()


def _ask(url: str, name: str, limits: Limits, seconds: float) -> Run:
    from accounts.buckets import Rate, shared
    from accounts.usage import PLACE

    server: Any = redis.Redis.from_url(url)
    rate = Rate(per_minute=limits.requests_per_minute, burst=limits.burst, per_day=limits.requests_per_day)
    server.ping()
    admitted, checks = 0, []
    began = time.time()
    while time.time() < began + seconds:
        asked = time.perf_counter()
        allowance = shared.take(server, name, rate, PLACE, 1)
        checks.append(time.perf_counter() - asked)
        admitted += allowance.is_admitted
        if not allowance.is_admitted:
            assert allowance.remaining == 0, "refused, although something is left"
            assert allowance.reset_at >= int(time.time()), "refused, although the bucket is full"
    return Run(began=began, ended=time.time(), admitted=admitted, checks=checks)


def _milliseconds(found: Found) -> tuple[str, str]:
    return f"{1000 * median(found.checks):.2f}", f"{1000 * quantiles(found.checks, n=100)[98]:.2f}"


if __name__ == "__main__":
    main()
