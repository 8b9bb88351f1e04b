"""The blocks of a raster, shared by the threads that read it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from ...threads import failing_together
from ...types import PixelArray
from ..raster_file import OpenRaster, RasterFile

_MOST_BYTES = 96 << 20

_Place = tuple[int, int]  # first row and column of a block
_Blocks = Mapping[_Place, Future[PixelArray]]


class Blocks(Protocol):
    """Parts of a raster, for any number of threads."""

    def dn(self, opened: OpenRaster, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster: (rows, columns). `opened` must serve the calling thread alone."""

    def fetches(self, rows: slice, columns: slice) -> Iterator[Callable[[], None]]:
        """The requests that the part needs. Each may be made by a thread of its own."""


class SharedBlocks:
    """The latest blocks of one raster. Each is decoded once, although several windows may lie across it.

    Windows come row by row, so a row of blocks is kept besides those that the windows touch.
    """

    def __init__(self, raster: RasterFile) -> None:
        self._raster = raster
        self._height, self._width = raster.block_shape
        self._raster_rows, self._raster_columns = raster.grid.shape
        self._block_bytes = self._height * self._width * raster.dtype.itemsize
        self._most = 1
        self._kept: OrderedDict[_Place, Future[PixelArray]] = OrderedDict()
        self._lock = threading.Lock()

    def dn(self, opened: OpenRaster, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster: (rows, columns). `opened` must serve the calling thread alone."""
        if self._are_whole(rows, columns):  # no other window needs these blocks
            return opened.dn(rows, columns)
        tops, lefts = _first_pixels(rows, self._height), _first_pixels(columns, self._width)
        blocks, unread = self._claim([(top, left) for top in tops for left in lefts], self._worth_keeping(len(tops)))
        self._read(opened, unread)  # first, as other threads may wait for these
        dn = np.empty((rows.stop - rows.start, columns.stop - columns.start), dtype=opened.raster.dtype)
        for (top, left), block in blocks.items():
            _copy_block(block.result(), top - rows.start, left - columns.start, dn)
        return dn

    def fetches(self, rows: slice, columns: slice) -> Iterator[Callable[[], None]]:
        return self._raster.fetches(rows, columns)

    def _are_whole(self, rows: slice, columns: slice) -> bool:
        return _is_whole(rows, self._height, self._raster_rows) and _is_whole(
            columns, self._width, self._raster_columns
        )

    def _worth_keeping(self, touched: int) -> int:
        """How many blocks to keep if a window touches so many rows of them."""
        a_row = -(-self._raster_columns // self._width)
        return min(a_row * (touched + 1), _MOST_BYTES // self._block_bytes)

    def _claim(self, places: Sequence[_Place], most: int) -> tuple[_Blocks, _Blocks]:
        """The blocks at these places, and the part of them that the caller has to read."""
        with self._lock:
            unread = {place: Future[PixelArray]() for place in places if place not in self._kept}
            self._kept.update(unread)
            blocks = {place: self._kept[place] for place in places}
            for place in places:
                self._kept.move_to_end(place)
            self._most = max(self._most, most)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return blocks, unread

    def _read(self, opened: OpenRaster, unread: _Blocks) -> None:
        with failing_together(unread.values()):
            for (top, left), promised in unread.items():
                rows = slice(top, min(top + self._height, self._raster_rows))
                columns = slice(left, min(left + self._width, self._raster_columns))
                promised.set_result(opened.dn(rows, columns))


def _first_pixels(part: slice, block: int) -> range:
    """The first rows, or columns, of the blocks that the part touches."""
    return range(part.start // block * block, part.stop, block)


def _is_whole(part: slice, block: int, raster: int) -> bool:
    return part.start % block == 0 and part.stop in (part.stop // block * block, raster)


def _copy_block(block: PixelArray, top: int, left: int, into: PixelArray) -> None:
    """Copy the part of the block that lies on the array `into`, in which its first pixel has the place (top, left)."""
    rows, columns = block.shape
    part = into[max(top, 0) : top + rows, max(left, 0) : left + columns]
    part[:] = block[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
