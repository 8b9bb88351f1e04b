"""Several jobs in one process after the other, and in two processes side by side that share the cores."""

import os
from pathlib import Path

from ..jobs import job_command
from ..markdown import spread, table
from ..measuring import Contender, take_turns
from ..scenes import warm, write_scenes
from . import Options

TITLE = "Four NDVI jobs in one and in two processes"
_JOBS = 4
_HEAD = ["processes", "wall s of all jobs", "CPU s", "peak MB of the largest", "wall s per job"]


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([scenes.after.red, scenes.after.nir])
    ways = [_way(scenes.folder, processes) for processes in (1, 2)]
    take_turns(ways, options.runs)
    return table(_HEAD, [_row(way) for way in ways])


def _way(folder: Path, processes: int) -> Contender:
    threads = max(1, (os.cpu_count() or 1) // processes)
    command = job_command("ndvi", folder, "--threads", str(threads), "--times", str(_JOBS // processes))
    return Contender(name=f"{processes}, each with threads: {threads}", command=command, copies=processes)


def _row(way: Contender) -> list[str]:
    return [way.name, *way.costs, spread([run.wall / _JOBS for run in way.runs])]
