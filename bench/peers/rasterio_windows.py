"""rasterio window by window to an uncompressed tiled raster, then GDAL's own COG driver.

`python -m bench.peers.rasterio_windows DTYPE RED NIR OUTPUT`; the dtype uint8 makes steps with a palette.
"""

import sys
from pathlib import Path

import rasterio

from .cog_driver import CACHE, move_to_cog
from .numexpr_ndvi import ndvi
from .settings import PALETTE
from .timing import timed

_WINDOW = 1024


def main(dtype: str, red_path: Path, nir_path: Path, out: Path) -> None:
    raw = out.with_suffix(".raw.tif")
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS", GDAL_CACHEMAX=CACHE // 2):
        _compute(dtype, red_path, nir_path, raw)
        move_to_cog(raw, out, predictor="YES" if dtype == "float32" else "NO")


def _compute(dtype: str, red_path: Path, nir_path: Path, raw: Path) -> None:
    with (
        rasterio.open(red_path, NUM_THREADS="ALL_CPUS") as red,
        rasterio.open(nir_path, NUM_THREADS="ALL_CPUS") as nir,
    ):
        size = {"width": red.width, "height": red.height, "count": 1, "crs": red.crs, "transform": red.transform}
        tiles = {"tiled": True, "blockxsize": _WINDOW, "blockysize": _WINDOW, "BIGTIFF": "IF_SAFER"}
        nodata = float("nan") if dtype == "float32" else 0
        with rasterio.open(raw, "w", driver="GTiff", dtype=dtype, nodata=nodata, **size, **tiles) as file:
            if dtype == "uint8":
                file.write_colormap(1, PALETTE)
            for row in range(0, red.height, _WINDOW):
                window = ((row, min(red.height, row + _WINDOW)), (0, red.width))
                file.write(ndvi(red.read(1, window=window), nir.read(1, window=window), dtype), 1, window=window)


if __name__ == "__main__":
    timed(main, sys.argv[1], *map(Path, sys.argv[2:]))
