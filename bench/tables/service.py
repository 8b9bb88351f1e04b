"""NDVI through the whole service, from the POST to the poll that says completed, beside the pipeline alone."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..jobs import JOBS, job_command
from ..markdown import spread, table
from ..measuring import run
from ..scenes import Scenes, warm, write_scenes
from ..service import Service, running_service
from . import Options

TITLE = "NDVI through the whole service"
# Often, to see the end at once; and seldom, to see what polling itself takes of the cores.
_POLLS = (0.02, 0.5)  # seconds


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([scenes.after.red, scenes.after.nir])
    with running_service(options.work, scenes.folder) as service:
        # Apart from the others: what a worker's process does but once.
        first = _turn(service, scenes, _POLLS[0])
        turns = [{poll: _turn(service, scenes, poll) for poll in _POLLS} for _ in range(options.runs)]
    rows = [_row(f"polled every {1000 * poll:g} ms", [turn[poll] for turn in turns]) for poll in _POLLS]
    return table(["jobs", *first], [_row("the first of the worker", [first]), *rows])


def _turn(service: Service, scenes: Scenes, poll: float) -> dict[str, float]:
    """Seconds of one job in the service and of the same work without it."""
    alone = json.loads(run(job_command("ndvi", scenes.folder)).printed)["seconds"][0]
    started = time.perf_counter()
    job_id = service.submit(JOBS["ndvi"])["job_id"]
    answered = time.perf_counter() - started
    job = service.wait_for(job_id, poll)
    whole = time.perf_counter() - started
    print(f"  service: {whole:.2f} s, alone: {alone:.2f} s", file=sys.stderr, flush=True)
    return {
        "POST to completed s": whole,
        "POST answered s": answered,
        "waited for the worker s": _between(job, "created_at", "started_at"),
        "worked on s": _between(job, "started_at", "completed_at"),
        "pipeline alone s": alone,
        "added s": whole - alone,
    }


def _between(job: dict[str, Any], first: str, second: str) -> float:
    return (datetime.fromisoformat(job[second]) - datetime.fromisoformat(job[first])).total_seconds()


def _row(name: str, turns: Sequence[dict[str, float]]) -> list[str]:
    return [name, *(spread([turn[column] for turn in turns]) for column in turns[0])]
