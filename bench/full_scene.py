"""Time and peak memory of jobs on full scenes: `python -m bench.full_scene [JOB ...] [--size 10980] [--runs 3]`.

The scenes are written once below bench/data. Each run is a process of its own, so that its peak memory is its own. With
`--over-http 0 50` the same jobs also read their scenes from a server on this machine that waits that many milliseconds
before each answer; local and remote runs take turns, and the ratio of their medians is printed.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from processing.raster.operations import get_operation
from processing.raster.sandbox.location import catalogue_folder
from processing.raster.types import Config, Request, SceneId

DATA = Path(__file__).resolve().parent / "data"
BEFORE, AFTER = "sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"

# name -> operation, scene ids, params
JOBS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "ndvi": ("ndvi", [AFTER], {}),
    "ndvi-palette": ("ndvi", [AFTER], {"colormap": "rdylgn"}),
    "change": ("change_detection", [BEFORE, AFTER], {"threshold": 0.15}),
    "change-swir16": ("change_detection", [BEFORE, AFTER], {"threshold": 0.15, "bands": ["red", "nir", "swir16"]}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", default=list(JOBS), metavar="JOB", help=f"of {', '.join(JOBS)}; all if none")
    parser.add_argument("--size", type=int, default=10980, help="pixels a side (default 10980)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--over-http", type=float, nargs="*", default=[], metavar="MS", help="delays of a file server")
    parser.add_argument("--root", default="", help=argparse.SUPPRESS)  # of the server, for the measured process
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)  # the measured process itself
    options = parser.parse_args()
    if options.once:
        run_once(options.jobs[0], options.size, options.root)
    else:
        measure(options.jobs, options.size, options.runs, options.over_http)


def measure(jobs: list[str], size: int, runs: int, delays: list[float]) -> None:
    """Print wall time, CPU time and peak memory of each run."""
    write = [sys.executable, "-c", f"from bench.full_scene import write_scenes; write_scenes({size})"]
    subprocess.run(write, check=True)  # apart, so that its memory does not count below
    print(f"{size} x {size} pixels, {os.cpu_count()} cores")
    print(f"{'job':16} {'from':10} {'run':>3} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    with ExitStack() as servers:
        roots = {"disk": ""} | {f"{delay:g} ms": servers.enter_context(_file_server(size, delay)) for delay in delays}
        for job in jobs:
            walls: dict[str, list[float]] = {place: [] for place in roots}
            for run in range(1, runs + 1):
                for place, root in roots.items():
                    walls[place].append(_measure_once(job, size, run, place, root))
            for place in roots if delays else ():
                print(f"{job:16} {place:10} {median(walls[place]) / median(walls['disk']):.2f} x the time from disk")


def _measure_once(job: str, size: int, run: int, place: str, root: str) -> float:
    command = [sys.executable, "-m", "bench.full_scene", job, "--once", "--size", str(size), "--root", root]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    peak = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{job:16} {place:10} {run:3} {wall:8.2f} {cpu:8.2f} {peak:8.0f}", flush=True)
    return wall


@contextmanager
def _file_server(size: int, delay: float) -> Iterator[str]:
    """Root of a STAC API over the scenes, in a process of its own."""
    folder = catalogue_folder(write_scenes(size))
    command = [sys.executable, "-m", "bench.file_server", str(folder), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip() if server.stdout else ''}"
        finally:
            server.terminate()


def write_scenes(size: int) -> Path:
    from .large_landscape import large_scenes

    return large_scenes(DATA, size)


def run_once(job: str, size: int, root: str) -> None:
    """Run the pipeline on the scenes and print this process's peak memory in MB (10^6 bytes)."""
    from processing.raster import pipeline

    name, texts, params = JOBS[job]
    request = Request(
        operation=name,
        scene_ids=tuple(SceneId.parse(text) for text in texts),
        params=get_operation(name).params_model.model_validate(params),
    )
    config = Config(
        sandbox_dir=write_scenes(size),
        use_sandbox=not root,
        stac_roots={"sentinel-2": (root,)},
        private_hosts=frozenset(["127.0.0.1"]),
        threads=os.cpu_count() or 1,
    )
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        pipeline.run(request, Path(folder), lambda share: None, config)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    main()
