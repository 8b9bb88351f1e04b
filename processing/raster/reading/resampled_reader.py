"""Windows of a grid from a raster whose rows and columns run alike: averaged, interpolated or, for masks, nearest."""

from collections.abc import Callable, Iterator

from rasterio.windows import Window

from ..grids.placement import Parallel
from ..grids.resampling import Axis, average, bilinear, nearest
from ..radiometry.masks import HIDDEN
from ..radiometry.reflectance import valid_pixels
from ..types import PixelArray
from .blocks import Blocks
from .raster_file import OpenRaster, RasterFile


class ResampledReader:
    """Resamples along both axes by our own arithmetic.

    `nodata` is the DN that is never blended into data; None for a mask, of which nothing is blended at all.
    """

    located = False

    def __init__(self, raster: RasterFile, placement: Parallel, blocks: Blocks, nodata: float | None) -> None:
        self.raster, self._placement, self._blocks, self._nodata = raster, placement, blocks, nodata

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        rows, columns = self._axes(window)
        dn = self._blocks.dn(opened, rows.needed, columns.needed)
        if self._nodata is None:
            return nearest(dn, rows, columns, outside=float(HIDDEN))
        combine = average if self._placement.averages else bilinear
        return combine(dn, valid_pixels(dn, self._nodata), rows, columns, self._nodata)

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return self._blocks.fetches(*self.needed(window))

    def needed(self, window: Window) -> tuple[slice, slice]:
        """Rows and columns of the file."""
        rows, columns = self._axes(window)
        return rows.needed, columns.needed

    def _axes(self, window: Window) -> tuple[Axis, Axis]:
        """How the window's rows and columns lie on the raster's."""
        lines = self._placement.rows, self._placement.columns
        rows, columns = (
            Axis.between(line.first, line.step, part.start, part.stop, size, blends=self._nodata is not None)
            for line, part, size in zip(lines, window.toslices(), self.raster.grid.shape, strict=True)
        )
        return rows, columns
