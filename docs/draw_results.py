"""Draws the pictures of results in docs/images from the sandbox's scenes: `python -m docs.draw_results [folder]`.

The jobs are those of the published documentation. Each operation's picture has its name; results.jpg shows both.
"""

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from bench.jobs import JOBS, job_command
from processing.raster.sandbox.catalogue import sandbox_catalogue

IMAGES = Path(__file__).resolve().parent / "images"
SIDE = 640  # pixels
_GAP = 16
_SHOWN = ("ndvi-palette", "change-swir16")

Picture = npt.NDArray[np.uint8]


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    with tempfile.TemporaryDirectory() as folder:
        scenes = sandbox_catalogue(Path(folder)).parent
        pictures = {JOBS[job]["operation"]: _picture(job, scenes) for job in _SHOWN}
    gap = np.full((3, SIDE, _GAP), 255, np.uint8)
    ndvi, change = pictures.values()
    for name, pixels in {**pictures, "results": np.concatenate([ndvi, gap, change], axis=2)}.items():
        _write(pixels, target / f"{name}.jpg")


def _picture(job: str, scenes: Path) -> Picture:
    """Run the job. Returns its result as (3, rows, columns), nodata white."""
    cog = scenes / f"{job}.tif"
    subprocess.run(job_command(job, scenes, "--out", cog), check=True, stdout=subprocess.DEVNULL)
    with rasterio.open(cog) as result:
        values = result.read(1, out_shape=(SIDE, SIDE))  # from an overview
        palette = {**result.colormap(1), result.nodata: (255, 255, 255)}
    colors = np.array([palette.get(value, (0, 0, 0))[:3] for value in range(256)], np.uint8)
    return np.moveaxis(colors[values], -1, 0)


def _write(pixels: Picture, path: Path) -> None:
    count, height, width = pixels.shape
    profile = {"driver": "JPEG", "width": width, "height": height, "count": count, "dtype": "uint8", "quality": 85}
    with _without_georeference(), rasterio.open(path, "w", **profile) as picture:
        picture.write(pixels)


@contextmanager
def _without_georeference() -> Iterator[None]:
    """A picture has none, and rasterio warns of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


if __name__ == "__main__":
    main()
