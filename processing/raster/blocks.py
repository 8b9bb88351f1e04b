"""The blocks of a raster, shared by the threads that read it."""

import threading
from collections import OrderedDict
from concurrent.futures import Future

import numpy as np

from .reading import RasterFile
from .types import PixelArray

_MOST_BYTES = 96 << 20


class SharedBlocks:
    """The latest blocks of one raster. Windows that lie across blocks find them here, so that each is read once.

    As windows come row by row, a row of blocks is kept beside those that the windows touch.
    """

    def __init__(self, file: RasterFile) -> None:
        self._height, self._width = file.block_shape
        self._raster_rows, self._raster_columns = file.grid.shape
        self._block_bytes = self._height * self._width * file.dtype.itemsize
        self._most = 1
        self._blocks: OrderedDict[tuple[int, int], Future[PixelArray]] = OrderedDict()
        self._lock = threading.Lock()

    def numbers(self, file: RasterFile, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster, as `file` gives it: (rows, columns). `file` serves the calling thread alone."""
        if self._are_whole(rows, columns):  # nobody else will need these blocks
            return file.numbers(rows, columns)
        self._make_room(rows)
        numbers = np.empty((rows.stop - rows.start, columns.stop - columns.start), dtype=file.dtype)
        for top in range(rows.start // self._height * self._height, rows.stop, self._height):
            for left in range(columns.start // self._width * self._width, columns.stop, self._width):
                _lay(self._block(file, top, left), top - rows.start, left - columns.start, numbers)
        return numbers

    def _are_whole(self, rows: slice, columns: slice) -> bool:
        return _is_whole(rows, self._height, self._raster_rows) and _is_whole(
            columns, self._width, self._raster_columns
        )

    def _make_room(self, rows: slice) -> None:
        touched = -(-rows.stop // self._height) - rows.start // self._height
        a_row = -(-self._raster_columns // self._width)
        with self._lock:
            self._most = max(self._most, min(a_row * (touched + 1), _MOST_BYTES // self._block_bytes))

    def _block(self, file: RasterFile, top: int, left: int) -> PixelArray:
        with self._lock:
            block = self._blocks.get((top, left))
            if block is not None:
                self._blocks.move_to_end((top, left))
            else:
                mine = self._blocks[top, left] = Future()
                while len(self._blocks) > self._most:
                    self._blocks.popitem(last=False)
        if block is not None:
            return block.result()
        try:
            rows, columns = min(top + self._height, self._raster_rows), min(left + self._width, self._raster_columns)
            mine.set_result(file.numbers(slice(top, rows), slice(left, columns)))
        except BaseException as error:
            mine.set_exception(error)
            raise
        return mine.result()


def _is_whole(part: slice, block: int, raster: int) -> bool:
    return part.start % block == 0 and part.stop in (part.stop // block * block, raster)


def _lay(block: PixelArray, top: int, left: int, into: PixelArray) -> None:
    """Copy what of the block lies on the array `into`, where its first pixel comes to (top, left)."""
    rows, columns = block.shape
    part = into[max(top, 0) : top + rows, max(left, 0) : left + columns]
    part[:] = block[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
