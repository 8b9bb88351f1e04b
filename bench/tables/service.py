"""NDVI through the whole service, from the POST to the poll that says completed, beside the pipeline alone."""

import json
import sys
import time
from datetime import datetime
from statistics import median
from typing import Any

from ..jobs import JOBS, job_command
from ..markdown import table
from ..measuring import run
from ..scenes import Scenes, warm, write_scenes
from ..service import Service, running_service
from . import Options

TITLE = "NDVI through the whole service"


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([scenes.after.red, scenes.after.nir])
    with running_service(options.work, scenes.folder) as service:
        # The first job of a worker's process also loads its libraries.
        first, *later = [_turn(service, scenes) for _ in range(options.runs + 1)]
    rows = [_row("first job of the worker", first), *(_row(str(number), turn) for number, turn in enumerate(later, 1))]
    middle = {name: median(turn[name] for turn in later) for name in first}
    return table(["run", *first], [*rows, _row("median without the first", middle)])


def _turn(service: Service, scenes: Scenes) -> dict[str, float]:
    """Seconds of one job in the service and of the same work without it."""
    alone = json.loads(run(job_command("ndvi", scenes.folder)).printed)["seconds"][0]
    started = time.perf_counter()
    job_id = service.submit(JOBS["ndvi"])["job_id"]
    answered = time.perf_counter() - started
    job = service.wait_for(job_id)
    whole = time.perf_counter() - started
    print(f"  service: {whole:.2f} s, alone: {alone:.2f} s", file=sys.stderr, flush=True)
    waited, worked = _between(job, "created_at", "started_at"), _between(job, "started_at", "completed_at")
    return {
        "POST to completed s": whole,
        "POST answered s": answered,
        "waited for the worker s": waited,
        "worked on s": worked,
        "pipeline alone s": alone,
        "added s": whole - alone,
    }


def _between(job: dict[str, Any], first: str, second: str) -> float:
    return (datetime.fromisoformat(job[second]) - datetime.fromisoformat(job[first])).total_seconds()


def _row(name: str, turn: dict[str, float]) -> list[str]:
    return [name, *(f"{seconds:.2f}" for seconds in turn.values())]
