"""The reader that fits how a raster lies on the grid of the result, and its use by any number of threads."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from rasterio.windows import Window

from ..grids import Grid
from ..grids.placement import Across, Aligned, Parallel, placement_of
from ..types import PixelArray
from .aligned_reader import AlignedReader
from .blocks import Blocks, ClarityBlocks, SharedBlocks, clarity_file
from .checks import named_errors
from .raster_file import OpenRaster, RasterFile
from .resampled_reader import ResampledReader
from .warped_reader import WarpedReader


class WindowReader(Protocol):
    """Reads windows of a grid from one raster: DN of a band, or the clarity of a mask. Holds nothing of one thread."""

    raster: RasterFile
    located: bool  # whether the raster must be opened with its CRS

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        """The window on the grid: (rows, columns)."""

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """The requests that the window needs. Each may be made by a thread of its own."""


def band_reader_on(grid: Grid, raster: RasterFile, nodata: float, window: Window) -> WindowReader:
    """The reader of a band on `grid`, of which `window` is all that will be read.

    Fetches the whole file if it has to be warped. Raises SceneTooLarge if the window needs more pixels of the file than
    a job may read.
    """
    return _reader_on(grid, raster, window, SharedBlocks(raster), nodata)


def mask_reader_on(
    grid: Grid, raster: RasterFile, window: Window, dilation: float, new_file: Callable[[], Path]
) -> WindowReader:
    """The same of a mask, whose clouds grow by that many metres before anything else is done.

    If it has to be warped, the whole file is fetched, and its clarity written into a `new_file`.
    """
    if isinstance(placement_of(grid, raster.grid), Across):
        _check_whole(raster)
        raster = clarity_file(raster.fetch_all(), dilation, new_file())
        return _reader_on(grid, raster, window, SharedBlocks(raster), None)
    return _reader_on(grid, raster, window, ClarityBlocks.of(raster, dilation), None)


def _reader_on(grid: Grid, raster: RasterFile, window: Window, blocks: Blocks, nodata: float | None) -> WindowReader:
    """Without `nodata`, nothing is blended."""
    match placement_of(grid, raster.grid):
        case Aligned() as aligned:
            return _checked(AlignedReader(raster, aligned, blocks), window)
        case Parallel() as parallel:
            return _checked(ResampledReader(raster, parallel, blocks, nodata), window)
        case Across() as across:
            _check_whole(raster)
            return WarpedReader(raster.fetch_all(), grid, across, nodata)


def _check_whole(raster: RasterFile) -> None:
    raster.check_pixels_of(*map(slice, (0, 0), raster.grid.shape))


def _checked(reader: AlignedReader | ResampledReader, window: Window) -> WindowReader:
    reader.raster.check_pixels_of(*reader.needed(window))
    return reader


class SharedReader:
    """A reader for any number of threads. Each borrows an open raster, or opens another if none is idle."""

    def __init__(self, reader: WindowReader, opened: ExitStack) -> None:
        self._reader, self._opened = reader, opened
        self._idle: list[OpenRaster] = []

    def read(self, window: Window) -> PixelArray:
        """The window on the grid: (rows, columns). Raises SceneUnreadable and what fetching raises."""
        raster = self._borrow()
        with named_errors(self._reader.raster.wanted):
            pixels = self._reader.read(raster, window)
        self._idle.append(raster)
        return pixels

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return self._reader.fetches(window)

    def _borrow(self) -> OpenRaster:
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened.enter_context(self._reader.raster.open(located=self._reader.located))
