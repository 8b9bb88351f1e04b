"""Whole bands by async-geotiff, numexpr, and GDAL's own COG driver."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy.typing as npt
import rasterio
from async_geotiff import GeoTIFF
from obstore.store import LocalStore
from rasterio.crs import CRS

from .cog_driver import CACHE
from .numexpr_ndvi import ndvi
from .rasterio_numexpr import write
from .timing import timed

Band = tuple[npt.NDArray[Any], dict[str, Any]]


def main(red_path: Path, nir_path: Path, out: Path) -> None:
    (red, place), (nir, _) = asyncio.run(_read_both(red_path, nir_path))
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", GDAL_CACHEMAX=CACHE):
        write(out, ndvi(red, nir), place)


async def _read_both(red_path: Path, nir_path: Path) -> tuple[Band, Band]:
    red, nir = await asyncio.gather(_read(red_path), _read(nir_path))
    return red, nir


async def _read(path: Path) -> Band:
    file = await GeoTIFF.open(path.name, store=LocalStore(str(path.parent)))
    pixels = await file.read()
    return pixels.data[0], {"crs": CRS.from_wkt(file.crs.to_wkt()), "transform": pixels.transform}


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
