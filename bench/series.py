"""A series of small windows: `python -m bench.series [--scenes 30] [--delay 50] [--size 10980]`.

NDVI of one area of 1 km2 of each of so many scenes, one after the other, from a server on this machine that waits
before each answer. Then the same scenes again, each with the area beside it. Both rounds in one process, and through
the whole service, from the POST to the poll that says completed.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from processing.raster import pipeline
from processing.raster.sandbox.location import catalogue_folder
from processing.raster.threads import keep_heaps_warm
from processing.raster.types import Config, SceneId

from .file_server import serving
from .job import config_of, raster_job
from .markdown import table
from .scenes import DATA, write_scenes
from .service import Service, live_service
from .tables import FULL_SIZE

# Squares of about a kilometre within the scene's first tenth, so that scenes of any size have them.
_AREAS = ([-122.540, 37.750, -122.5287, 37.759], [-122.525, 37.750, -122.5137, 37.759])
_FIRST_DAY = datetime(2025, 1, 15, 18, 49, 29, tzinfo=UTC)
_POLL_SECONDS = 0.01
_ROUNDS = ("scenes that nobody has asked for lately", "the same scenes, the area beside it")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.series", description=__doc__)
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--delay", type=float, default=50.0, help="milliseconds before each answer")
    parser.add_argument("--size", type=int, default=FULL_SIZE, help="pixels a side of the scenes")
    options = parser.parse_args()
    keep_heaps_warm()
    with tempfile.TemporaryDirectory(dir=DATA, prefix="work-") as work:
        folder = Path(work)
        ids = list(_copies(write_scenes(options.size).folder, folder, options.scenes))
        with serving(folder, options.delay) as server:
            rows = list(_in_one_process(ids, server.root, folder))
        with serving(folder, options.delay) as server:  # at another address, so that nobody knows its files
            rows += _through_the_service(ids, server.root, folder)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(table(["jobs", "number", "s in all", "median ms", "p95 ms", "slowest ms"], rows))


def _in_one_process(ids: Sequence[str], root: str, folder: Path) -> Iterator[list[str]]:
    config = config_of(folder, root, os.cpu_count() or 1)
    _run(ids[0], _AREAS[0], config, folder)  # imports, first calls
    for name, area in zip(_ROUNDS, _AREAS, strict=True):
        yield _row(f"one process, {name}", [_run(one, area, config, folder) for one in ids[1:]])


def _through_the_service(ids: Sequence[str], root: str, folder: Path) -> Iterator[list[str]]:
    data = folder / "data"
    data.mkdir()
    with live_service(data, root) as service:
        _submit(service, ids[0], _AREAS[0])
        for name, area in zip(_ROUNDS, _AREAS, strict=True):
            yield _row(f"service, {name}", [_submit(service, one, area) for one in ids[1:]])


def _row(name: str, seconds: Sequence[float]) -> list[str]:
    p95 = quantiles(seconds, n=20, method="inclusive")[-1]
    in_all, *milliseconds = sum(seconds), 1000 * median(seconds), 1000 * p95, 1000 * max(seconds)
    return [name, str(len(seconds)), f"{in_all:.2f}", *(f"{value:.0f}" for value in milliseconds)]


def _copies(scenes: Path, folder: Path, count: int) -> Iterator[str]:
    """Write items like the last scene's into `folder`, each a day later and with files of its own. Yields their ids.

    One more than `count`: the first is for a job that warms the process.
    """
    last = sorted(catalogue_folder(scenes).glob("*/S2*.json"))[-1]
    item = json.loads(last.read_text())
    for day in range(count + 1):
        sensed = _FIRST_DAY + timedelta(days=day)
        item["id"] = f"S2B_MSIL2A_{sensed:%Y%m%dT%H%M%S}_N0511_R070_T10SEG_{sensed:%Y%m%d}T213616"
        item["properties"] |= {"datetime": f"{sensed:%Y-%m-%dT%H:%M:%SZ}", "s2:product_uri": f"{item['id']}.SAFE"}
        place = folder / item["id"]
        place.mkdir()
        for asset in item["assets"].values():
            (place / Path(asset["href"]).name).symlink_to(last.parent / Path(asset["href"]).name)
        (place / f"{item['id']}.json").write_text(json.dumps(item))
        yield item["id"]


def _run(scene_id: str, area: Sequence[float], config: Config, folder: Path) -> float:
    """Seconds of the pipeline."""
    ndvi = raster_job("ndvi")
    params = type(ndvi.params).model_validate({"aoi": list(area)})
    job = replace(ndvi, scene_ids=(SceneId.parse(f"sentinel-2:{scene_id}"),), params=params)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        started = time.perf_counter()
        pipeline.run(job, Path(own), lambda share: None, config)
        return time.perf_counter() - started


def _submit(service: Service, scene_id: str, area: Sequence[float]) -> float:
    """Seconds from the POST to the poll that says completed."""
    body = {"operation": "ndvi", "scene_ids": [f"sentinel-2:{scene_id}"], "params": {"aoi": list(area)}}
    started = time.perf_counter()
    service.wait_for(service.submit(body)["job_id"], _POLL_SECONDS)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
