"""Our jobs with scenes from a server on this machine that waits before each answer, beside scenes from the disk."""

import filecmp
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processing.raster.sandbox.location import catalogue_folder

from ..jobs import job_command
from ..markdown import spread, table
from ..measuring import Contender
from ..scenes import Scenes, warm, write_scenes
from . import Options

TITLE = "Scenes over HTTP"
_JOBS = ("ndvi", "change", "change-swir16")
_DELAYS = (0, 50)  # milliseconds


@dataclass(frozen=True)
class _Server:
    root: str
    process_id: int

    @property
    def cpu(self) -> float:
        """Seconds that its threads have computed so far."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(kw_only=True)
class _Way:
    """One job with its scenes from one place."""

    contender: Contender
    server: _Server | None
    server_cpu: list[float] = field(default_factory=list)

    def run_once(self) -> None:
        before = self.server.cpu if self.server else 0.0
        self.contender.run_once()
        self.server_cpu.append((self.server.cpu if self.server else 0.0) - before)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    warm([*scenes.before.all, *scenes.after.all])
    with ExitStack() as stack:
        servers: dict[str, _Server | None] = {"disk": None}
        servers |= {f"HTTP, {delay} ms": stack.enter_context(_file_server(scenes, delay)) for delay in _DELAYS}
        tables = [_measure_job(job, scenes, servers, options) for job in _JOBS]
    head = ["job, scenes from", "wall s", "CPU s", "peak MB", "server's CPU s", "wall / disk", "same file"]
    return table(head, [row for rows in tables for row in rows])


def _measure_job(job: str, scenes: Scenes, servers: dict[str, _Server | None], options: Options) -> list[list[str]]:
    ways = [_way(f"{job}, {place}", job, scenes, server, options.work) for place, server in servers.items()]
    for _ in range(options.runs):
        for way in ways:
            way.run_once()
    return [_row(way, ways[0]) for way in ways]


def _way(name: str, job: str, scenes: Scenes, server: _Server | None, work: Path) -> _Way:
    output = work / f"{name}.tif"
    root = ["--root", server.root] if server else []
    command = job_command(job, scenes.folder, *root, "--out", output)
    return _Way(contender=Contender(name=name, command=command, output=output), server=server)


def _row(way: _Way, from_disk: _Way) -> list[str]:
    server = spread(way.server_cpu) if way.server else "-"
    ours, first = way.contender, from_disk.contender
    same = ours.output and first.output and filecmp.cmp(ours.output, first.output, shallow=False)
    return [ours.name, *ours.costs, server, ours.ratio(first), "yes" if same else "NO"]


@contextmanager
def _file_server(scenes: Scenes, delay: float) -> Iterator[_Server]:
    command = [sys.executable, "-m", "bench.file_server", str(catalogue_folder(scenes.folder)), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield _Server(root=f"http://127.0.0.1:{port}", process_id=process.pid)
        finally:
            process.terminate()
