"""rioxarray and dask, in chunks, then write_cog of odc-geo."""

import os
import sys
from pathlib import Path

import dask
import odc.geo.xr  # noqa: F401  # gives arrays their `odc`
import rioxarray
import xarray as xr
from odc.geo.cog import write_cog

from .settings import BLOCK, DEFLATE, ZERO_REFLECTANCE
from .timing import timed

_CHUNK = 2048


def main(red_path: Path, nir_path: Path, out: Path) -> None:
    red, nir = _open(red_path), _open(nir_path)
    r, n = ((band.astype("float32") - ZERO_REFLECTANCE).clip(min=0) for band in (red, nir))
    ndvi = ((n - r) / (n + r)).where((red != 0) & (nir != 0))
    ndvi.attrs = {"nodata": float("nan")}
    with dask.config.set(scheduler="threads", num_workers=os.cpu_count()):
        ndvi = ndvi.odc.assign_crs(red.rio.crs).compute()
    write_cog(ndvi, out, overwrite=True, blocksize=BLOCK, overview_resampling="average", predictor=3, **DEFLATE)


def _open(path: Path) -> xr.DataArray:
    opened = rioxarray.open_rasterio(path, chunks={"x": _CHUNK, "y": _CHUNK}, lock=False)
    return opened.squeeze("band", drop=True)


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
