"""xarray-spatial's own reader and COG writer, with a loop compiled by numba between them."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from xrspatial.geotiff import open_geotiff, to_geotiff

from .settings import BLOCK, ZERO_REFLECTANCE
from .timing import timed


def main(red_path: Path, nir_path: Path, out: Path) -> None:
    red, nir = open_geotiff(red_path), open_geotiff(nir_path)
    ndvi = red.copy(data=_ndvi(red.data, nir.data))
    ndvi.attrs = {name: red.attrs[name] for name in ("crs", "crs_wkt", "transform") if name in red.attrs}
    to_geotiff(
        ndvi,
        out,
        cog=True,
        compression="deflate",
        compression_level=1,
        predictor=3,
        tile_size=BLOCK,
        overview_resampling="mean",
        nodata=np.nan,
    )


@njit(parallel=True, cache=True, nogil=True)  # type: ignore[untyped-decorator]  # the first run compiles it
def _ndvi(red: npt.NDArray[Any], nir: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found = np.empty(red.shape, np.float32)
    for row in prange(red.shape[0]):
        for column in range(red.shape[1]):
            r = np.float32(max(int(red[row, column]) - ZERO_REFLECTANCE, 0))
            n = np.float32(max(int(nir[row, column]) - ZERO_REFLECTANCE, 0))
            if red[row, column] == 0 or nir[row, column] == 0 or n + r == 0:
                found[row, column] = np.nan
            else:
                found[row, column] = (n - r) / (n + r)
    return found


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
