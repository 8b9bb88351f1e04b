"""Whole bands by GDAL's own Python, of the package gdal-wheel, numexpr, and the COG driver."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, gdal_array

from .numexpr_ndvi import ndvi
from .settings import BLOCK
from .timing import timed

_CACHE = 512 << 20  # bytes
_COG = ("COMPRESS=DEFLATE", "LEVEL=1", "PREDICTOR=YES", f"BLOCKSIZE={BLOCK}", "OVERVIEW_RESAMPLING=AVERAGE")


def main(red_path: Path, nir_path: Path, out: Path) -> None:
    gdal.UseExceptions()
    gdal.SetConfigOption("GDAL_NUM_THREADS", "ALL_CPUS")
    gdal.SetCacheMax(_CACHE)
    red, nir = _open(red_path), _open(nir_path)
    pixels = ndvi(red.ReadAsArray(), nir.ReadAsArray())
    source = gdal_array.OpenArray(pixels)
    source.SetGeoTransform(red.GetGeoTransform())
    source.SetSpatialRef(red.GetSpatialRef())
    source.GetRasterBand(1).SetNoDataValue(np.nan)
    gdal.GetDriverByName("COG").CreateCopy(str(out), source, options=[*_COG, "NUM_THREADS=ALL_CPUS"])


def _open(path: Path) -> Any:
    return gdal.OpenEx(str(path), open_options=["NUM_THREADS=ALL_CPUS"])


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
