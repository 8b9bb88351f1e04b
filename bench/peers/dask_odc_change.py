"""Change detection with rioxarray, dask and odc-geo, by ASTRA's rule for red, nir and swir16.

`python -m bench.peers.dask_odc_change THRESHOLD RED NIR SWIR16 SCL RED NIR SWIR16 SCL OUTPUT`, before and after.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import dask
import numpy as np
import odc.geo.xr  # noqa: F401  # gives arrays their `odc`
import rioxarray
import xarray as xr
from odc.geo.cog import write_cog

from .settings import BLOCK, DEFLATE, ZERO_REFLECTANCE
from .timing import timed

_CHUNK = 2048
_EPSILON = 1e-6
_NO_CHANGE, _GAIN, _LOSS, _BUILT_UP, _WATER, _NODATA = 0, 1, 2, 3, 4, 255
# No data, saturated, cloud shadow, cloud medium and high, cirrus, snow.
_HIDDEN = (0, 1, 3, 8, 9, 10, 11)


@dataclass(frozen=True)
class Date:
    red: xr.DataArray
    nir: xr.DataArray
    swir16: xr.DataArray
    ndvi: xr.DataArray
    ndbi: xr.DataArray
    seen: xr.DataArray

    @property
    def water(self) -> xr.DataArray:
        return (self.nir < 0.05) | ((self.ndvi < 0.01) & (self.nir < 0.11))

    @property
    def built_up(self) -> xr.DataArray:
        bright = (self.nir >= 0.11) & (self.red > 0.55 * self.swir16)
        return ~self.water & (self.ndvi < 0.30) & (self.ndbi > -0.15) & bright


def main(threshold: float, before_files: list[Path], after_files: list[Path], out: Path) -> None:
    before, after = _open_date(before_files), _open_date(after_files)
    classes = _classify(before, after, threshold).where(before.seen & after.seen, np.uint8(_NODATA)).astype("uint8")
    classes.attrs = {"nodata": _NODATA}
    with dask.config.set(scheduler="threads", num_workers=os.cpu_count()):
        classes = classes.odc.assign_crs(before.red.rio.crs).compute()
    write_cog(classes, out, overwrite=True, blocksize=BLOCK, overview_resampling="mode", **DEFLATE)


def _open_date(files: list[Path]) -> Date:
    red, nir, swir16, scl = (_open(path) for path in files)
    grid = red.odc.geobox
    # Without the attribute one pixel that is no data would spoil all around it.
    swir16 = swir16.astype("float32").where(swir16 != 0).assign_attrs(nodata=float("nan"))
    swir16 = swir16.odc.reproject(grid, resampling="bilinear")
    classes = scl.odc.reproject(grid, resampling="nearest").assign_coords(red.coords)
    seen = (red != 0) & (nir != 0) & swir16.notnull().assign_coords(red.coords) & ~classes.isin(_HIDDEN)
    r, n, s = (_reflectance(band.assign_coords(red.coords)) for band in (red, nir, swir16))
    ndvi, ndbi = _normalized_difference(n, r), _normalized_difference(s, n)
    return Date(red=r, nir=n, swir16=s, ndvi=ndvi, ndbi=ndbi, seen=seen)


def _open(path: Path) -> xr.DataArray:
    opened = rioxarray.open_rasterio(path, chunks={"x": _CHUNK, "y": _CHUNK}, lock=False)
    return opened.squeeze("band", drop=True)


def _reflectance(numbers: xr.DataArray) -> xr.DataArray:
    return (numbers.astype("float32") - ZERO_REFLECTANCE).clip(min=0) / np.float32(10_000)


def _normalized_difference(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    total = a + b
    return ((a - b) / total).where(total != 0, np.float32(0))


def _classify(before: Date, after: Date, threshold: float) -> xr.DataArray:
    changed = _at_least(_difference(before, after), threshold)
    water = before.water ^ after.water
    either = before.water | after.water
    built = ~either & after.built_up & ~before.built_up
    gain = _at_least(after.ndvi - before.ndvi, threshold) & (after.ndvi >= 0.2)
    loss = _at_least(before.ndvi - after.ndvi, threshold) & (before.ndvi >= 0.2)
    classes = xr.where(loss, np.uint8(_LOSS), np.uint8(_NO_CHANGE))
    classes = xr.where(gain, np.uint8(_GAIN), classes)
    classes = xr.where(built, np.uint8(_BUILT_UP), classes)
    classes = xr.where(either, xr.where(water, np.uint8(_WATER), np.uint8(_NO_CHANGE)), classes)
    return xr.where(changed, classes, np.uint8(_NO_CHANGE))


def _at_least(difference: xr.DataArray, threshold: float) -> xr.DataArray:
    return (difference >= threshold - _EPSILON) & (difference > _EPSILON)


def _difference(before: Date, after: Date) -> xr.DataArray:
    names = ("red", "nir", "swir16", "ndvi", "ndbi")
    largest, *others = (abs(getattr(after, name) - getattr(before, name)) for name in names)
    for other in others:
        largest = np.maximum(largest, other)
    return largest


if __name__ == "__main__":
    files = [Path(text) for text in sys.argv[2:-1]]
    timed(main, float(sys.argv[1]), files[:4], files[4:], Path(sys.argv[-1]))
