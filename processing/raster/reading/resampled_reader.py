"""Windows of a grid from a raster whose rows and columns run alike: averaged, interpolated or, for masks, nearest."""

from collections.abc import Callable, Iterator

import numpy as np
from rasterio.windows import Window

from ..grids.placement import Parallel
from ..grids.resampling import Axis, average, bilinear, nearest
from ..radiometry.reflectance import valid_pixels
from ..types import PixelArray
from .raster_file import OpenRaster, RasterFile
from .sampling import Sampling
from .shared_blocks import SharedBlocks


class ResampledReader:
    """Resamples along both axes by our own arithmetic. Nodata is never blended into data."""

    located = False

    def __init__(self, raster: RasterFile, placement: Parallel, sampling: Sampling) -> None:
        self.raster, self._placement, self._sampling = raster, placement, sampling
        self._blocks = SharedBlocks(raster)

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        rows, columns = self._axes(window)
        dn = self._blocks.dn(opened, rows.needed, columns.needed)
        nodata = self._sampling.nodata
        if nodata is None:
            return self._nearest(dn, rows, columns)
        combine = average if self._placement.averages else bilinear
        return combine(dn, valid_pixels(dn, nodata), rows, columns, nodata)

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return self.raster.fetches(*self.needed(window))

    def needed(self, window: Window) -> tuple[slice, slice]:
        """Rows and columns of the file."""
        rows, columns = self._axes(window)
        return rows.needed, columns.needed

    def _nearest(self, dn: PixelArray, rows: Axis, columns: Axis) -> PixelArray:
        """Beyond the raster, DN count as 0."""
        convert = self._sampling.convert
        outside = convert(np.zeros(1, self.raster.dtype)).item()
        return nearest(convert(dn), rows, columns, outside)

    def _axes(self, window: Window) -> tuple[Axis, Axis]:
        """How the window's rows and columns lie on the raster's."""
        lines = self._placement.rows, self._placement.columns
        rows, columns = (
            Axis.between(line.first, line.step, part.start, part.stop, size, blends=self._sampling.nodata is not None)
            for line, part, size in zip(lines, window.toslices(), self.raster.grid.shape, strict=True)
        )
        return rows, columns
