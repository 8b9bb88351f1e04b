"""Whole bands by rasterio, numexpr, and GDAL's own COG driver.

`python -m bench.peers.rasterio_numexpr DTYPE RED NIR OUTPUT`; the dtype uint8 makes steps with a palette.
"""

import sys
from pathlib import Path
from typing import Any

import numpy.typing as npt
import rasterio

from .cog_driver import CACHE, options
from .numexpr_ndvi import ndvi
from .settings import PALETTE
from .timing import timed


def main(dtype: str, red_path: Path, nir_path: Path, out: Path) -> None:
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", GDAL_CACHEMAX=CACHE):
        (red, place), (nir, _) = _read(red_path), _read(nir_path)
        write(out, ndvi(red, nir, dtype), place)


def write(out: Path, pixels: npt.NDArray[Any], place: dict[str, Any]) -> None:
    """`place` is the `crs` and the `transform`."""
    is_float = pixels.dtype.kind == "f"
    height, width = pixels.shape
    size = {"width": width, "height": height, "count": 1, "dtype": pixels.dtype.name, **place}
    nodata = float("nan") if is_float else 0
    with rasterio.open(out, "w", nodata=nodata, **size, **options(predictor="YES" if is_float else "NO")) as file:
        if not is_float:
            file.write_colormap(1, PALETTE)
        file.write(pixels, 1)


def _read(path: Path) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    # LIBERTIFF decodes by several threads at once, and is new in GDAL 3.11.
    with rasterio.open(path, driver="LIBERTIFF", NUM_THREADS="ALL_CPUS") as file:
        return file.read(1), {"crs": file.crs, "transform": file.transform}


if __name__ == "__main__":
    timed(main, sys.argv[1], *map(Path, sys.argv[2:]))
