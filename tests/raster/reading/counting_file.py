"""Stands in for an open raster. Counts its reads, and the bytes of them that are still in memory."""

import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from processing.raster.reading.blocks.shared_blocks import SharedBlocks
from processing.raster.types import PixelArray
from tests.raster.support.rasters import grid

Part = tuple[slice, slice]  # rows, columns
Shape = tuple[int, int]


class NotedArray(np.ndarray[Any, Any]):
    """An array whose views and copies are noted."""

    notes: "list[weakref.ref[NotedArray]]"

    def __array_finalize__(self, made_of: Any) -> None:
        if isinstance(made_of, NotedArray):
            self.notes = made_of.notes
            self.notes.append(weakref.ref(self))


class CountingFile:
    """`reads` holds the parts that were read. `before_read` is called with a part first."""

    def __init__(
        self, shape: Shape, block_shape: Shape, before_read: Callable[[Part], None] = lambda part: None
    ) -> None:
        self.pixels = np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint16).reshape(shape).view(NotedArray)
        self.pixels.notes = []
        self.grid, self.block_shape, self.dtype = grid(shape[1], shape[0]), block_shape, self.pixels.dtype
        self.before_read = before_read
        self.raster = self  # it stands in for the description, too
        self.reads: list[Part] = []

    def dn(self, rows: slice, columns: slice) -> PixelArray:
        self.reads.append((rows, columns))
        self.before_read((rows, columns))
        return self.pixels[rows, columns].copy()

    @property
    def block_bytes(self) -> int:
        return self.block_shape[0] * self.block_shape[1] * int(self.dtype.itemsize)

    @property
    def times_read(self) -> Counter[Shape]:
        """How often each block was read, by its first row and column."""
        return Counter(
            (row // self.block_shape[0] * self.block_shape[0], column // self.block_shape[1] * self.block_shape[1])
            for rows, columns in self.reads
            for row in range(rows.start, rows.stop, self.block_shape[0])
            for column in range(columns.start, columns.stop, self.block_shape[1])
        )

    @property
    def held_bytes(self) -> int:
        """Bytes of the arrays that were read, or were made of them, and are still in memory."""
        alive = [array for note in self.pixels.notes if (array := note()) is not None]
        return sum(array.nbytes for array in alive if array.base is None)


def shared(file: CountingFile) -> Callable[[Part], PixelArray]:
    """Reads parts of the file by its shared blocks."""
    raster: Any = file
    held = SharedBlocks(raster)
    return lambda part: held.dn(raster, *part)


def part(top: int, bottom: int, left: int, right: int) -> Part:
    return slice(top, bottom), slice(left, right)
