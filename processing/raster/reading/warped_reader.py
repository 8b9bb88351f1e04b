"""Windows of a grid from a raster in another CRS or turned against it, by GDAL's warper."""

from collections.abc import Callable, Iterator

import numpy as np
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ..grids import Grid
from ..grids.placement import ALIKE, Across
from ..radiometry.reflectance import SATURATED
from ..types import Band, BoolArray, PixelArray
from .raster_file import OpenRaster, RasterFile

# How far, in pixels, the straight lines by which GDAL shortens reprojection may miss.
_TOLERANCE_PIXELS = 0.01
_TILE = 256
# Near a saturated pixel the warper's values are higher than those of all but the brightest clouds.
_BRIGHT = 10_000


class WarpedReader:
    """Warps. The whole file must be on this machine's disk: the warper reads beyond the window, all bands and masks.

    `nodata` is the DN that is never blended into data; None for a mask, of which nothing is blended at all.
    """

    located = True

    def __init__(self, raster: RasterFile, grid: Grid, placement: Across, nodata: float | None) -> None:
        self.raster, self._grid, self._nodata = raster, grid, nodata
        blending = Resampling.average if placement.averages else Resampling.bilinear
        self._other_nodata = raster.wanted.other_nodata if isinstance(raster.wanted, Band) else None
        self._resampling = Resampling.nearest if nodata is None else blending

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        values = _in_tiles(self._warp(opened, self._resampling), window)
        may_be_saturated = self.raster.dtype == np.uint16 and self._nodata is not None
        if may_be_saturated and values.max() > _BRIGHT:
            values[self._near(float(SATURATED), Resampling.max, opened, window)] = self._nodata
        if self._other_nodata is not None:
            values[self._near(self._other_nodata, Resampling.nearest, opened, window)] = self._nodata
        return values

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return iter(())

    def _near(self, dn: float, resampling: Resampling, opened: OpenRaster, window: Window) -> BoolArray:
        """Pixels of that DN and those around them, into which the warper, which does not know of them, blended them."""
        rows, columns = window.toslices()
        top, left = max(0, rows.start - 1), max(0, columns.start - 1)
        bottom, right = min(self._grid.height, rows.stop + 1), min(self._grid.width, columns.stop + 1)
        wider = Window.from_slices((top, bottom), (left, right))
        found = _in_tiles(self._warp(opened, resampling), wider) == dn
        around = np.pad(found, 1)
        near: BoolArray = np.logical_or.reduce(
            [around[i : i + len(found), j : j + found.shape[1]] for i in range(3) for j in range(3)]
        )
        near = near[rows.start - top :, columns.start - left :]
        return near[: rows.stop - rows.start, : columns.stop - columns.start]

    def _warp(self, opened: OpenRaster, resampling: Resampling) -> WarpedVRT:
        if resampling not in opened.warps:
            opened.warps[resampling] = _warped(opened.dataset, self._grid, resampling, self._nodata)
        return opened.warps[resampling]


def _warped(dataset: DatasetReader, grid: Grid, resampling: Resampling, nodata: float | None) -> WarpedVRT:
    # With pixels of about the same size, GDAL would widen the kernel by the odd thousandth and need twice the time.
    alike = abs(Grid.of(dataset).gsd / grid.gsd - 1) < ALIKE
    return WarpedVRT(
        dataset,
        crs=grid.crs,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=resampling,
        src_nodata=nodata,
        nodata=nodata,
        # Interpolated values fall between whole ones; classes stay what they are.
        dtype=dataset.dtypes[0] if resampling == Resampling.nearest else "float32",
        tolerance=_TOLERANCE_PIXELS,
        **({"XSCALE": "1", "YSCALE": "1"} if alike else {}),
    )


def _in_tiles(warped: WarpedVRT, window: Window) -> PixelArray:
    """GDAL approximates the way between two CRSs anew for each read: the same tiles always give the same pixels."""
    rows, columns = window.toslices()
    top, left = rows.start // _TILE * _TILE, columns.start // _TILE * _TILE
    tiles = [
        [
            warped.read(
                1, window=Window(column, row, min(_TILE, warped.width - column), min(_TILE, warped.height - row))
            )
            for column in range(left, columns.stop, _TILE)
        ]
        for row in range(top, rows.stop, _TILE)
    ]
    return np.block(tiles)[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
