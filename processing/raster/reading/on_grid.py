"""Windows of a grid from rasters that lie on it, beside it or across it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import copy
from typing import Self

import numpy as np
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ..grids.grid import Grid, Line, window_at
from ..grids.resampling import Axis, average, bilinear, nearest
from ..radiometry.masks import clear_pixels
from ..radiometry.reflectance import SATURATED, valid_pixels
from ..types import Band, BoolArray, Mask, PixelArray
from .raster_file import RasterFile, named_errors
from .shared_blocks import SharedBlocks

# Where the source's pixels are this much smaller than the grid's, an average uses them all and bilinear would not.
_SHRINKS = 2.0
_ALIKE = 0.01
# How far, in pixels, the straight lines by which GDAL shortens reprojection may miss.
_TOLERANCE_PIXELS = 0.01
_TILE = 256
# Near a saturated pixel the warper's numbers are higher than those of all but the brightest clouds.
_BRIGHT = 10_000


class _OnGrid:
    """Windows of `grid` from a file, in the way that fits how the two lie to each other.

    Straight where the file's pixels lie on the grid; by our own arithmetic where rows and columns run alike; else by
    GDAL's warper.
    """

    def __init__(self, file: RasterFile, grid: Grid, resampling: Resampling, nodata: float | None) -> None:
        self._file, self._grid, self._resampling, self._nodata = file, grid, resampling, nodata
        self._blocks = SharedBlocks(file)
        self._offset = grid.offset_in(file.grid)
        self._axes = grid.axes_on(file.grid)
        if self._offset is None and self._axes is None:
            # The warper looks at more than the window, at all bands and at masks inside the file.
            file.bring_all()
        self._warps: dict[Resampling, WarpedVRT] = {}

    def again(self, files: ExitStack) -> Self:
        """Another reader of the same raster, with a file of its own, which `files` closes."""
        other = copy(self)
        is_warped = self._offset is None and self._axes is None
        other._file = files.enter_context(self._file.again(located=is_warped))
        other._warps = {}
        return other

    def read(self, window: Window) -> PixelArray:
        """The window on the grid: (rows, columns). Raises SceneUnreadable or ProviderUnavailable."""
        with named_errors(self._file.wanted):
            if self._offset is not None:
                return self._made_of(self._blocks.numbers(self._file, *self._needed(window)))
            if self._axes is not None:
                return self._interpolated(*self._axes_of(window, *self._axes))
            return self._made_of(self._warp(window))

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """What a host is to be asked for before the window is read, each in a thread of its own."""
        return self._file.fetches(*self._needed(window))

    def _needed(self, window: Window) -> tuple[slice, slice]:
        """Rows and columns of the file of which the window is made. A file that is warped is here as a whole."""
        if self._offset is not None:
            return window_at(window, self._offset).toslices()  # type: ignore[no-any-return]
        if self._axes is not None:
            rows, columns = self._axes_of(window, *self._axes)
            return rows.needed, columns.needed
        return slice(0, 0), slice(0, 0)

    def _axes_of(self, window: Window, column_line: Line, row_line: Line) -> tuple[Axis, Axis]:
        """How the window's rows and columns lie on the file's."""
        rows, columns = (
            Axis.between(line.first, line.step, part.start, part.stop, size, blends=self._nodata is not None)
            for line, part, size in zip((row_line, column_line), window.toslices(), self._file.grid.shape, strict=True)
        )
        return rows, columns

    def _interpolated(self, rows: Axis, columns: Axis) -> PixelArray:
        numbers = self._blocks.numbers(self._file, rows.needed, columns.needed)
        if self._nodata is None:
            # Beyond the file its numbers count as 0.
            outside = self._made_of(np.zeros(1, self._file.dtype)).item()
            return nearest(self._made_of(numbers), rows, columns, outside)
        combine = average if self._resampling == Resampling.average else bilinear
        return combine(numbers, valid_pixels(numbers, self._nodata), rows, columns, self._nodata)

    def _made_of(self, numbers: PixelArray) -> PixelArray:
        """What the reader gives for the file's numbers; made before they come to a finer grid, where they are more."""
        return numbers

    def _warp(self, window: Window) -> PixelArray:
        numbers = _in_tiles(self._warped(self._resampling), window)
        may_be_saturated = self._file.dtype == np.uint16 and self._nodata is not None
        if may_be_saturated and numbers.max() > _BRIGHT:
            numbers[self._near_saturated(window)] = self._nodata
        return numbers

    def _near_saturated(self, window: Window) -> BoolArray:
        """Where the warper, which does not know of saturated pixels, may have blended them in: they and all around."""
        rows, columns = window.toslices()
        top, left = max(0, rows.start - 1), max(0, columns.start - 1)
        bottom, right = min(self._grid.height, rows.stop + 1), min(self._grid.width, columns.stop + 1)
        wider = Window.from_slices((top, bottom), (left, right))
        saturated = _in_tiles(self._warped(Resampling.max), wider) == SATURATED
        around = np.pad(saturated, 1)
        near: BoolArray = np.logical_or.reduce(
            [around[i : i + len(saturated), j : j + saturated.shape[1]] for i in range(3) for j in range(3)]
        )
        near = near[rows.start - top :, columns.start - left :]
        return near[: rows.stop - rows.start, : columns.stop - columns.start]

    def _warped(self, resampling: Resampling) -> WarpedVRT:
        if resampling not in self._warps:
            self._warps[resampling] = _warped(self._file.dataset, self._grid, resampling, self._nodata)
        return self._warps[resampling]


class BandReader(_OnGrid):
    """One band of a scene on `grid`, whatever grid the file has.

    A file whose pixels lie on the grid is read as it is. Any other is resampled, and nodata is never blended into data.
    """

    def __init__(self, band: Band, file: RasterFile, grid: Grid) -> None:
        super().__init__(file, grid, resampling_for(file.grid, grid), band.nodata)


class MaskReader(_OnGrid):
    """Where a scene's own mask shows the ground: booleans on `grid`, by nearest neighbour, as classes never blend."""

    def __init__(self, mask: Mask, file: RasterFile, grid: Grid) -> None:
        super().__init__(file, grid, Resampling.nearest, None)
        self._kind = mask.kind

    def _made_of(self, numbers: PixelArray) -> BoolArray:
        return clear_pixels(numbers, self._kind)


def resampling_for(source: Grid, target: Grid) -> Resampling:
    """Average where the target's pixels are at least (nearly) twice as large as the source's, else bilinear."""
    shrinks = target.gsd >= _SHRINKS * source.gsd * (1 - _ALIKE)
    return Resampling.average if shrinks else Resampling.bilinear


def _warped(dataset: DatasetReader, grid: Grid, resampling: Resampling, nodata: float | None) -> WarpedVRT:
    # Where pixels are about as large, GDAL would widen the kernel by the odd thousandth and need twice the time.
    alike = abs(Grid.of(dataset).gsd / grid.gsd - 1) < _ALIKE
    return WarpedVRT(
        dataset,
        crs=grid.crs,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=resampling,
        src_nodata=nodata,
        nodata=nodata,
        # Interpolated numbers fall between whole ones; classes stay what they are.
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
