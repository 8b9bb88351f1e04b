"""`python -m bench.requests [--turns 5] [--count 2000] [--callers 8]`.

Submits and polls of the production set (PostgreSQL, Valkey, limits on) and of a bare Django view on the same server and
database, in turns. No worker runs meanwhile. The share is that of the medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tests.environments import inherited

from ..markdown import table
from ..sets.production import Production, production
from ..sets.restarter import Unit
from ..sets.running import ROOT, patiently
from ..sets.servers import free_port
from .callers import Call, answer_to, per_second

_JOB = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"], "params": {"colormap": "rdylgn"}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.requests", description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--count", type=int, default=2000, help="requests in each measurement")
    parser.add_argument("--callers", type=int, default=8, help="that send at once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, production(Path(folder), {}) as running:
        calls = _calls(running)
        rates: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(options.turns):
            for name, call in calls.items():
                rates[name].append(per_second(call, options.count, options.callers))
    _print(rates)


def _calls(running: Production) -> Mapping[str, Call]:
    job = running.call("POST", "/api/v1/process", json=_JOB)
    patiently(lambda: _check_completed(running, job["job_id"]))
    for name in ("worker", "webhooks", "control", "beat"):
        running.units.hold(name)
    port, bare = urlsplit(running.url).port or 0, _start_bare(running)
    key = {"Authorization": f"Bearer {running.key}"}
    return {
        "submit": Call(port=port, path="/api/v1/process", body=_JOB, status=202, headers=key),
        "bare submit": bare,
        "poll": Call(port=port, path=f"/api/v1/process/{job['job_id']}", status=200, headers=key),
        "bare poll": Call(port=bare.port, path=f"/notes/{answer_to(bare)['id']}", status=200),
    }


def _check_completed(running: Production, job_id: str) -> None:
    if running.call("GET", f"/api/v1/process/{job_id}")["status"] != "completed":
        raise ConnectionError("the job is still at work")


def _start_bare(running: Production) -> Call:
    """The bare view by the Procfile's own server, with a port of its own."""
    port, environment = free_port(), {**inherited(), **running.environment}
    create = [sys.executable, "-c", "from bench.requests.bare import create_table; create_table()"]
    subprocess.run(create, cwd=ROOT, env=environment, check=True)
    web = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())["web"]
    command = web.replace("astra.wsgi", "bench.requests.bare:application").replace("0.0.0.0", "127.0.0.1")
    environment = {**running.environment, "PORT": str(port)}
    running.units.add(
        Unit(name="bare", command=["bash", "-c", f"cd {ROOT} && exec {command}"], environment=environment)
    )
    call = Call(port=port, path="/notes", body=_JOB, status=202)
    patiently(lambda: answer_to(call))
    return call


def _print(rates: Mapping[str, Sequence[float]]) -> None:
    medians = {name: median(each) for name, each in rates.items()}
    rows = [_row(what, medians[what], medians[f"bare {what}"]) for what in ("submit", "poll")]
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(table(["request", "a second", "bare view", "share"], rows))


def _row(what: str, ours: float, bare: float) -> list[str]:
    return [what, f"{ours:.0f}", f"{bare:.0f}", f"{ours / bare:.0%}"]


main()
