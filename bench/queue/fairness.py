"""Accounts side by side: `python -m bench.queue.fairness [--set NAME] [--jobs 200] [--turns 3]`.

One account submits many jobs, and another one now and then: how long that waits, in units of a job's time. What the
many are told of their ends, beside what comes. And how fast rasters of all accounts are done while the webhooks of one
go to a receiver that hangs, in turns with one that answers.
"""

import argparse
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from ..markdown import table
from ..sets import SETS, RunningSet, receiver

_BEFORE, _AFTER = "sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"
_JOBS: Sequence[Mapping[str, Any]] = (
    {"operation": "ndvi", "scene_ids": [_AFTER]},
    {"operation": "ndvi", "scene_ids": [_AFTER], "params": {"aoi": [-122.45, 37.70, -122.42, 37.72]}},
    {"operation": "change_detection", "scene_ids": [_BEFORE, _AFTER]},
)
_VISITS = 5  # jobs of the other account
_OF_ONE, _OF_OTHER = 10, 20  # jobs in a turn with webhooks
_LONGEST = 1200.0


class Account:
    """Submits with a key of its own."""

    def __init__(self, running: RunningSet, name: str) -> None:
        key = running.manage("createapikey", "--account", name, "--test", "--plan", "scale").split()[-1]
        self._running, self._headers = running, {"Authorization": f"Bearer {key}"}

    def submit(self, body: Mapping[str, Any], **fields: Any) -> str:
        job = self._running.call("POST", "/api/v1/process", json={**body, **fields}, headers=self._headers)
        return str(job["job_id"])

    def poll(self, job_id: str) -> dict[str, Any]:
        return dict(self._running.call("GET", f"/api/v1/process/{job_id}", headers=self._headers))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queue.fairness", description=__doc__)
    parser.add_argument("--set", choices=SETS, default="embedded")
    parser.add_argument("--jobs", type=int, default=200, help="of the account that submits many")
    parser.add_argument("--turns", type=int, default=3, help="with each receiver")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {"ASTRA_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1"}
        with SETS[options.set](Path(folder), environment) as running:
            one, other = Account(running, "one"), Account(running, "other")
            _work_off(running, [one.submit(body) for body in islice(cycle(_JOBS), 15)])
            _share(running, one, other, options.jobs)
            _hang(running, one, other, options.turns)


# --- One account submits many ---------------------------------------------------------------------------------------


def _share(running: RunningSet, one: Account, other: Account, count: int) -> None:
    """While the many wait, the other account comes again and again."""
    told = [_submit_and_ask(one, body) for body in islice(cycle(_JOBS), count)]
    visits = [_visit(running, other) for _ in range(_VISITS)]
    waiting = sum(not job.ended for job in _jobs(running).values())
    jobs = _work_off(running, [job_id for job_id, _, _ in told])
    length = median(jobs[job_id].ended - jobs[job_id].started for job_id, _, _ in told)
    waits = [(jobs[job_id].started - jobs[job_id].created) / length for job_id in visits]
    print(f"{count} jobs of one account, {length:.2f} s each; {waiting} still waited after the last visit")
    print(f"the other account's job waited {median(waits):.2f} of a job's time, at most {max(waits):.2f}")
    shares = sorted(eta / (jobs[job_id].ended - at) for job_id, at, eta in told if eta is not None)
    within = sum(0.5 <= share <= 2 for share in shares)
    spread = f"{shares[0]:.2f} to {shares[-1]:.2f} of what came"
    print(f"eta_seconds: {within} of {len(shares)} within a factor of two, {spread}")


def _submit_and_ask(account: Account, body: Mapping[str, Any]) -> tuple[str, float, int | None]:
    """The id of the job, the time of its first poll, and the `eta_seconds` of that."""
    job_id = account.submit(body)
    return job_id, time.time(), account.poll(job_id)["eta_seconds"]


def _visit(running: RunningSet, account: Account) -> str:
    """One job of the account, to its end."""
    job_id = account.submit(_JOBS[0])
    _work_off(running, [job_id])
    return job_id


# --- A receiver that hangs ------------------------------------------------------------------------------------------


def _hang(running: RunningSet, one: Account, other: Account, turns: int) -> None:
    with receiver() as good, _hanging_receiver() as hanging:
        rates: dict[str, list[float]] = {"that answers": [], "that hangs": []}
        for _ in range(turns):
            rates["that answers"].append(_rate(running, one, other, good.url))
            rates["that hangs"].append(_rate(running, one, other, hanging))
    rows = [[name, " ".join(f"{rate:.2f}" for rate in found), f"{median(found):.2f}"] for name, found in rates.items()]
    print(table(["receiver", "jobs a second, by turns", "median"], rows))
    share = median(rates["that hangs"]) / median(rates["that answers"])
    print(f"with a receiver that hangs, rasters of all accounts have {100 * share:.1f} % of that speed")


def _rate(running: RunningSet, one: Account, other: Account, hook: str) -> float:
    """Jobs a second of both accounts, of which only one has webhooks."""
    began = time.monotonic()
    jobs = [one.submit(_JOBS[0], webhook_url=hook) for _ in range(_OF_ONE)]
    jobs += [other.submit(_JOBS[0]) for _ in range(_OF_OTHER)]
    _work_off(running, jobs)
    return len(jobs) / (time.monotonic() - began)


@contextmanager
def _hanging_receiver() -> Iterator[str]:
    """The kernel takes the connections, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


# --- Jobs -----------------------------------------------------------------------------------------------------------


class Job(NamedTuple):
    """Unix times; 0 for what has not come yet."""

    status: str
    created: float
    started: float
    ended: float


def _work_off(running: RunningSet, job_ids: Sequence[str]) -> dict[str, Job]:
    """All jobs, once these have ended. Raises SystemExit if one of these failed."""
    ends = time.monotonic() + _LONGEST
    while not all((jobs := _jobs(running))[job_id].ended for job_id in job_ids):
        if time.monotonic() > ends:
            raise SystemExit(f"jobs had not ended after {_LONGEST:.0f} s")
        time.sleep(0.1)
    if failed := [job_id for job_id in job_ids if jobs[job_id].status != "completed"]:
        raise SystemExit(f"failed: {failed}")
    return jobs


def _jobs(running: RunningSet) -> dict[str, Job]:
    rows = running.rows("SELECT id, status, created_at, started_at, completed_at FROM processing_job")
    return {row[0]: Job(row[1], _unix(row[2]), _unix(row[3]), _unix(row[4])) for row in rows}


def _unix(moment: Any) -> float:
    if moment is None:
        return 0.0
    when = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return when.timestamp()


if __name__ == "__main__":
    main()
