"""One job of ours in a process of its own: `python -m bench.job JOB --scenes FOLDER`.

Prints as JSON the seconds from each call of the pipeline to its return, and this process's peak memory in MB (10^6
bytes).
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from processing.raster import pipeline
from processing.raster.operations import get_operation
from processing.raster.threads import keep_heaps_warm
from processing.raster.types import Catalogues, Config, Limits, Network, RasterJob, SceneId

from .jobs import JOBS
from .scenes import folder_of_scenes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--scenes", type=folder_of_scenes, required=True, help="sandbox folder of the scenes")
    parser.add_argument("--root", help="STAC API from which the scenes are read in place of the folder")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--times", type=int, default=1, help="how often the job runs, one after the other")
    parser.add_argument("--out", type=Path, help="where the result is kept")
    options = parser.parse_args()
    keep_heaps_warm()  # as a worker does
    config = config_of(options.scenes, options.root, options.threads)
    seconds = [_run(raster_job(options.job), config, options.scenes.parent, options.out) for _ in range(options.times)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def raster_job(job: str) -> RasterJob:
    asked = JOBS[job]
    return RasterJob(
        operation=asked["operation"],
        scene_ids=tuple(SceneId.parse(text) for text in asked["scene_ids"]),
        params=get_operation(asked["operation"]).params_model.model_validate(asked["params"]),
    )


def config_of(scenes: Path, root: str | None, threads: int) -> Config:
    return Config(
        catalogues=Catalogues(sandbox=None if root else scenes, roots={"sentinel-2": (root,)} if root else {}),
        network=Network(private_hosts=frozenset(["127.0.0.1"])),
        limits=Limits(max_pixels=1e12),
        threads=threads,
    )


def _run(job: RasterJob, config: Config, work: Path, out: Path | None) -> float:
    """Seconds in the pipeline."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        started = time.perf_counter()
        product = pipeline.run(job, Path(folder), lambda share: None, config)
        seconds = time.perf_counter() - started
        if out:
            product.path.replace(out)
    return seconds


if __name__ == "__main__":
    main()
