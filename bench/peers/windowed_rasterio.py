"""rasterio window by window to an uncompressed tiled raster, then cog_translate of rio-cogeo."""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from . import rio_cogeo
from .settings import ZERO_REFLECTANCE
from .timing import timed

_WINDOW = 1024
_CACHE = 256 << 20  # bytes


def main(red_path: Path, nir_path: Path, out: Path) -> None:
    raw = out.with_suffix(".raw.tif")
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", GDAL_CACHEMAX=_CACHE):
        _compute(red_path, nir_path, raw)
        rio_cogeo.translate(raw, out)
    raw.unlink()


def _compute(red_path: Path, nir_path: Path, raw: Path) -> None:
    with rasterio.open(red_path) as red, rasterio.open(nir_path) as nir:
        size = {"width": red.width, "height": red.height, "count": 1, "crs": red.crs, "transform": red.transform}
        tiles = {"tiled": True, "blockxsize": _WINDOW, "blockysize": _WINDOW, "BIGTIFF": "IF_SAFER"}
        with rasterio.open(raw, "w", driver="GTiff", dtype="float32", nodata=float("nan"), **size, **tiles) as file:
            for _, window in file.block_windows(1):
                file.write(_ndvi(red, nir, window), 1, window=window)


def _ndvi(red: rasterio.DatasetReader, nir: rasterio.DatasetReader, window: Window) -> npt.NDArray[np.float32]:
    numbers = [file.read(1, window=window) for file in (red, nir)]
    r, n = (np.maximum(band.astype(np.float32) - ZERO_REFLECTANCE, 0) for band in numbers)
    with np.errstate(invalid="ignore"):
        ndvi: npt.NDArray[np.float32] = (n - r) / (n + r)
    ndvi[(numbers[0] == 0) | (numbers[1] == 0)] = np.nan
    return ndvi


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
