"""The pictures of a job alone: `python -m bench.pictures JOB --scenes FOLDER` prints their seconds as JSON.

The job runs once before, so that its result is there and the scenes' overviews are in memory.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from processing.raster import pipeline
from processing.raster.gdal import gdal_environment
from processing.raster.grids import lay_over
from processing.raster.operations import get_operation
from processing.raster.pictures import pictures_of_result, pictures_of_scenes
from processing.raster.reading import OpenRasters, open_scene
from processing.raster.scenes import find_scenes
from processing.raster.threads import keep_heaps_warm

from .job import config_of, raster_job
from .jobs import JOBS
from .scenes import folder_of_scenes

_ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--scenes", type=folder_of_scenes, required=True, help="sandbox folder of the scenes")
    options = parser.parse_args()
    keep_heaps_warm()
    with tempfile.TemporaryDirectory(dir=options.scenes.parent) as folder:
        print(json.dumps(_measure(options.job, options.scenes, Path(folder))))


def _measure(name: str, scenes: Path, folder: Path) -> dict[str, list[tuple[float, float]]]:
    job, config = raster_job(name), config_of(scenes, None, os.cpu_count() or 1)
    operation = get_operation(job.operation)
    bands = operation.bands(job.params)
    cog = pipeline.run(job, folder, lambda share: None, config).path
    with gdal_environment(), OpenRasters(config.network, config.limits, folder) as rasters:
        opened = [open_scene(scene, bands, rasters, with_mask=False) for scene in find_scenes(job, bands, config)]
        overlay = lay_over([scene.grid for scene in opened])
        parts: dict[str, Callable[[], object]] = {
            "of the result": lambda: pictures_of_result(cog, operation, job.params),
            "of the scenes": lambda: pictures_of_scenes(operation, opened, overlay, config, folder),
        }
        return {part: [_seconds(draw) for _ in range(_ROUNDS)] for part, draw in parts.items()}


def _seconds(draw: Callable[[], object]) -> tuple[float, float]:
    """Of the clock, and of all processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    draw()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
