"""The clarity of the pixels of a mask, after its clouds have grown on the mask's own grid."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Self

import numpy as np
import rasterio

from ...gdal import gdal_environment
from ...radiometry.masks import HIDDEN, NEAR_PIXELS, clarity, cloudy_pixels, faulty_pixels
from ...types import LocalFile, Mask, MaskKind, PixelArray
from ..checks import named_errors
from ..raster_file import OpenRaster, RasterFile
from .shared_blocks import SharedBlocks

# Two pixels of 20 m are 40 m, also if rounding made them a little less.
_ROUNDING = 1e-6
_COPIED_AT_ONCE = 1024  # pixels a side


class ClarityBlocks:
    """Reads the clarity of parts of a mask: HIDDEN, NEAR or CLEAR for each of its pixels.

    Clouds, shadows and snow grow by `reach` pixels. A margin is read around each part, so that the same pixels come out
    whatever the parts.
    """

    def __init__(self, raster: RasterFile, kind: MaskKind, reach: int) -> None:
        self.raster, self._kind, self._reach = raster, kind, reach
        self._margin = reach + NEAR_PIXELS
        self._blocks = SharedBlocks(raster)

    @classmethod
    def of(cls, raster: RasterFile, dilation: float) -> Self:
        """`dilation` is in metres, and rounded up to whole pixels of the mask."""
        if not isinstance(raster.wanted, Mask):
            raise TypeError("only masks have clarity")
        return cls(raster, raster.wanted.kind, ceil(dilation / raster.grid.gsd - _ROUNDING))

    def dn(self, opened: OpenRaster, rows: slice, columns: slice) -> PixelArray:
        """The clarity of a part of the mask: (rows, columns). `opened` must serve the calling thread alone."""
        if rows.start == rows.stop or columns.start == columns.stop:
            return np.empty((0, 0), dtype=HIDDEN.dtype)
        wide_rows, wide_columns = self._widened(rows, columns)
        dn = self._blocks.dn(opened, wide_rows, wide_columns)
        inner = dn[_within(rows, wide_rows), _within(columns, wide_columns)]
        lacking = [self._lacking(rows, wide_rows), self._lacking(columns, wide_columns)]
        cloudy = cloudy_pixels(dn, self._kind)
        if np.any(lacking):
            cloudy = np.pad(cloudy, lacking)  # there are no clouds beyond the mask
        return clarity(cloudy, faulty_pixels(inner, self._kind), self._reach)

    def fetches(self, rows: slice, columns: slice) -> Iterator[Callable[[], None]]:
        if rows.start == rows.stop or columns.start == columns.stop:
            return iter(())
        return self._blocks.fetches(*self._widened(rows, columns))

    def _widened(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """The part with its margin, as far as the raster has it."""
        height, width = self.raster.grid.shape
        return _widened(rows, self._margin, height), _widened(columns, self._margin, width)

    def _lacking(self, part: slice, wide: slice) -> tuple[int, int]:
        """Pixels of the margin that the raster does not have, before and after the part."""
        return self._margin - (part.start - wide.start), self._margin - (wide.stop - part.stop)


def clarity_file(mask: RasterFile, dilation: float, path: Path) -> RasterFile:
    """The mask's clarity as a raster of its own at `path`, for a warper that only reads files."""
    blocks = ClarityBlocks.of(mask, dilation)
    grid = mask.grid
    with named_errors(mask.wanted), gdal_environment(), mask.open() as opened:
        options = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
        place = {"crs": grid.crs, "transform": grid.transform, "width": grid.width, "height": grid.height}
        with rasterio.open(path, "w", driver="GTiff", count=1, dtype=HIDDEN.dtype, **place, **options) as file:
            for window in grid.windows(_COPIED_AT_ONCE):
                file.write(blocks.dn(opened, *window.toslices()), 1, window=window)
        return RasterFile.describe(replace(mask.wanted, source=LocalFile(path=path)), mask.file.limits)


def _widened(part: slice, margin: int, size: int) -> slice:
    return slice(max(0, part.start - margin), min(size, part.stop + margin))


def _within(part: slice, whole: slice) -> slice:
    return slice(part.start - whole.start, part.stop - whole.start)
