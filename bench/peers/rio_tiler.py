"""rio-tiler: both bands as one image, an expression on it, then cog_translate of rio-cogeo."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.io import MemoryFile
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from . import rio_cogeo
from .settings import ZERO_REFLECTANCE
from .timing import timed

_ma: Any = np.ma  # numpy has no types for it


def main(red: Path, nir: Path, out: Path) -> None:
    images = [_read(path) for path in (red, nir)]
    bands = _ma.concatenate([_shifted(image.array) for image in images])
    with np.errstate(invalid="ignore"):
        ndvi = ImageData(bands, crs=images[0].crs, bounds=images[0].bounds).apply_expression("(b2-b1)/(b2+b1)")
    _write(ndvi, out)


def _read(path: Path) -> ImageData:
    with Reader(str(path)) as reader:
        image: ImageData = reader.read()
    return image


def _shifted(numbers: Any) -> Any:
    return _ma.maximum(numbers.astype(np.float32) - ZERO_REFLECTANCE, np.float32(0))


def _write(ndvi: ImageData, out: Path) -> None:
    pixels: Any = ndvi.array.astype(np.float32)
    size = {"width": ndvi.width, "height": ndvi.height, "count": 1, "crs": ndvi.crs, "transform": ndvi.transform}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", dtype="float32", nodata=float("nan"), **size) as file:
            file.write(pixels.filled(np.nan))
        with memory.open() as raw:
            rio_cogeo.translate(raw, out)


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
