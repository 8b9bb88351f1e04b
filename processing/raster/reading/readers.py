"""The reader that fits how a raster lies on the grid of the result, and its use by any number of threads."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Protocol

from rasterio.windows import Window

from ..grids import Grid
from ..grids.placement import Across, Aligned, Parallel, placement_of
from ..types import PixelArray
from .aligned_reader import AlignedReader
from .checks import named_errors
from .raster_file import OpenRaster, RasterFile
from .resampled_reader import ResampledReader
from .sampling import Sampling
from .warped_reader import WarpedReader


class WindowReader(Protocol):
    """Reads windows of a grid from one raster: DN of a band, or booleans of a mask. Holds nothing of one thread."""

    raster: RasterFile
    located: bool  # whether the raster must be opened with its CRS

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        """The window on the grid: (rows, columns)."""

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """The requests that the window needs. Each may be made by a thread of its own."""


def reader_on(grid: Grid, raster: RasterFile, window: Window) -> WindowReader:
    """The reader of the raster on `grid`, of which `window` is all that will be read.

    Fetches the whole file if it has to be warped. Raises SceneTooLarge if the window needs more pixels of the file than
    a job may read.
    """
    sampling = Sampling.of(raster.wanted)
    match placement_of(grid, raster.grid):
        case Aligned() as aligned:
            return _checked(AlignedReader(raster, aligned, sampling), window)
        case Parallel() as parallel:
            return _checked(ResampledReader(raster, parallel, sampling), window)
        case Across() as across:
            raster.check_pixels_of(*map(slice, (0, 0), raster.grid.shape))
            return WarpedReader(raster.fetch_all(), grid, across, sampling)


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
