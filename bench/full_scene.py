"""Time and peak memory of one job on full scenes: `python -m bench.full_scene [--size 10980] [--colormap rdylgn]`.

The scenes are written once below bench/data. Each run is a process of its own, so that its peak memory is its own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processing.raster.operations import get_operation
from processing.raster.types import Config, Request, SceneId

DATA = Path(__file__).resolve().parent / "data"
SCENES = {"ndvi": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10980, help="pixels a side (default 10980)")
    parser.add_argument("--colormap", help="colormap of the NDVI result")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)  # the measured process itself
    options = parser.parse_args()
    if options.once:
        run_once(options.size, options.colormap)
    else:
        measure(options.size, options.colormap, options.runs)


def measure(size: int, colormap: str | None, runs: int) -> None:
    """Print wall time, CPU time and peak memory of each run."""
    command = [sys.executable, "-m", "bench.full_scene", "--once", "--size", str(size)]
    command += ["--colormap", colormap] if colormap else []
    write = [sys.executable, "-c", f"from bench.full_scene import write_scenes; write_scenes({size})"]
    subprocess.run(write, check=True)  # apart, so that its memory does not count below
    print(f"ndvi of {size} x {size} pixels, colormap {colormap or 'none'}, {os.cpu_count()} cores")
    print(f"{'run':>4} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for run in range(1, runs + 1):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        peak = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{run:4} {wall:8.2f} {cpu:8.2f} {peak:8.0f}", flush=True)


def write_scenes(size: int) -> Path:
    from .large_landscape import large_scenes

    return large_scenes(DATA, size)


def run_once(size: int, colormap: str | None) -> None:
    """Run the pipeline on the scenes and print this process's peak memory in MB (10^6 bytes)."""
    from processing.raster import pipeline

    request = Request(
        operation="ndvi",
        scene_ids=tuple(SceneId.parse(text) for text in SCENES["ndvi"]),
        params=get_operation("ndvi").params_model.model_validate({"colormap": colormap}),
    )
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        pipeline.run(
            request, Path(folder), lambda share: None, Config(sandbox_dir=write_scenes(size), use_sandbox=True)
        )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    main()
