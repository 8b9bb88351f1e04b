"""Windows of a grid from a raster that has the same pixels."""

from collections.abc import Callable, Iterator

from rasterio.windows import Window

from ..grids.grid import window_at
from ..grids.placement import Aligned
from ..types import PixelArray
from .blocks import Blocks
from .raster_file import OpenRaster, RasterFile


class AlignedReader:
    """Reads pixels as they are."""

    located = False

    def __init__(self, raster: RasterFile, placement: Aligned, blocks: Blocks) -> None:
        self.raster, self._placement, self._blocks = raster, placement, blocks

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        return self._blocks.dn(opened, *self.needed(window))

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return self._blocks.fetches(*self.needed(window))

    def needed(self, window: Window) -> tuple[slice, slice]:
        """Rows and columns of the file."""
        return window_at(window, self._placement.corner).toslices()  # type: ignore[no-any-return]
