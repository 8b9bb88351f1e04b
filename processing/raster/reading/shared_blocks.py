"""The blocks of a raster, shared by the threads that read it."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from ..types import PixelArray
from .raster_file import RasterFile

_MOST_BYTES = 96 << 20

_Place = tuple[int, int]  # first row and column of a block
_Blocks = Mapping[_Place, Future[PixelArray]]


class SharedBlocks:
    """The latest blocks of one raster. Windows that lie across blocks find them here, so that each is read once.

    As windows come row by row, a row of blocks is kept beside those that the windows touch.
    """

    def __init__(self, file: RasterFile) -> None:
        self._height, self._width = file.block_shape
        self._raster_rows, self._raster_columns = file.grid.shape
        self._block_bytes = self._height * self._width * file.dtype.itemsize
        self._most = 1
        self._kept: OrderedDict[_Place, Future[PixelArray]] = OrderedDict()
        self._lock = threading.Lock()

    def numbers(self, file: RasterFile, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster, as `file` gives it: (rows, columns). `file` serves the calling thread alone."""
        if self._are_whole(rows, columns):  # nobody else will need these blocks
            return file.numbers(rows, columns)
        tops, lefts = _first_pixels(rows, self._height), _first_pixels(columns, self._width)
        blocks, unread = self._claim([(top, left) for top in tops for left in lefts], self._worth_keeping(len(tops)))
        self._read(file, unread)  # before any other is waited for, as others may wait for these
        numbers = np.empty((rows.stop - rows.start, columns.stop - columns.start), dtype=file.dtype)
        for (top, left), block in blocks.items():
            _lay(block.result(), top - rows.start, left - columns.start, numbers)
        return numbers

    def _are_whole(self, rows: slice, columns: slice) -> bool:
        return _is_whole(rows, self._height, self._raster_rows) and _is_whole(
            columns, self._width, self._raster_columns
        )

    def _worth_keeping(self, touched: int) -> int:
        """How many blocks to keep where a window touches so many rows of them."""
        a_row = -(-self._raster_columns // self._width)
        return min(a_row * (touched + 1), _MOST_BYTES // self._block_bytes)

    def _claim(self, places: Sequence[_Place], most: int) -> tuple[_Blocks, _Blocks]:
        """The blocks at these places, and those of them that the caller has to read."""
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

    def _read(self, file: RasterFile, unread: _Blocks) -> None:
        try:
            for (top, left), promised in unread.items():
                rows = slice(top, min(top + self._height, self._raster_rows))
                columns = slice(left, min(left + self._width, self._raster_columns))
                promised.set_result(file.numbers(rows, columns))
        except BaseException as error:
            for promised in unread.values():
                if not promised.done():
                    promised.set_exception(error)
            raise


def _first_pixels(part: slice, block: int) -> range:
    """Where the blocks begin that the part touches."""
    return range(part.start // block * block, part.stop, block)


def _is_whole(part: slice, block: int, raster: int) -> bool:
    return part.start % block == 0 and part.stop in (part.stop // block * block, raster)


def _lay(block: PixelArray, top: int, left: int, into: PixelArray) -> None:
    """Copy what of the block lies on the array `into`, where its first pixel comes to (top, left)."""
    rows, columns = block.shape
    part = into[max(top, 0) : top + rows, max(left, 0) : left + columns]
    part[:] = block[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
