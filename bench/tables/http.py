"""Our jobs with scenes from a server on this machine that waits before each answer, beside scenes from the disk."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from processing.raster.sandbox.location import catalogue_folder

from ..file_server import RunningServer, serving
from ..jobs import job_command
from ..markdown import spread, table
from ..measuring import Contender
from ..scenes import Scenes, warm, write_scenes
from . import Options
from .comparison import compare

TITLE = "Scenes over HTTP"
_JOBS = ("ndvi", "change", "change-swir16")
_DELAYS = (0, 50)  # milliseconds


@dataclass(kw_only=True)
class _Way:
    """One job with its scenes from one place."""

    contender: Contender
    server: RunningServer | None
    server_cpu: list[float] = field(default_factory=list)

    def run_once(self) -> None:
        before = self.server.cpu if self.server else 0.0
        self.contender.run_once()
        self.server_cpu.append((self.server.cpu if self.server else 0.0) - before)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([*scenes.before.all, *scenes.after.all])
    with ExitStack() as stack:
        servers: dict[str, RunningServer | None] = {"disk": None}
        servers |= {
            f"HTTP, {delay} ms": stack.enter_context(serving(catalogue_folder(scenes.folder), delay))
            for delay in _DELAYS
        }
        tables = [_measure_job(job, scenes, servers, options) for job in _JOBS]
    head = ["job, scenes from", "wall s", "CPU s", "peak MB", "server's CPU s", "wall / disk", "same pixels"]
    return table(head, [row for rows in tables for row in rows])


def _measure_job(
    job: str, scenes: Scenes, servers: dict[str, RunningServer | None], options: Options
) -> list[list[str]]:
    ways = [_way(f"{job}, {place}", job, scenes, server, options.work) for place, server in servers.items()]
    for _ in range(options.runs):
        for way in ways:
            way.run_once()
    return [_row(way, ways[0]) for way in ways]


def _way(name: str, job: str, scenes: Scenes, server: RunningServer | None, work: Path) -> _Way:
    output = work / f"{name}.tif"
    root = ["--root", server.root] if server else []
    command = job_command(job, scenes.folder, *root, "--out", output)
    return _Way(contender=Contender(name=name, command=command, output=output), server=server)


def _row(way: _Way, from_disk: _Way) -> list[str]:
    server = spread(way.server_cpu) if way.server else "-"
    ours, first = way.contender, from_disk.contender
    # The files differ in one tag: where each scene came from, and in which version.
    same = compare(first, ours)
    are_same = same["same_grid"] and not same["validity"] and not same["differing"]
    return [ours.name, *ours.costs, server, ours.ratio(first), "yes" if are_same else "NO"]
