"""One resolution of a raster while it is made: its tiles, and the rows of pixels that will become tiles."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from ..types import PixelArray
from . import ifd
from .tile_file import TileFile

BLOCK = 512

_Place = tuple[int, int]  # row and column of a tile


class Level:
    """Takes tiles and halved pixels from any thread. Rows of tiles go to the disk in their order. Raises OSError."""

    def __init__(self, file: TileFile, height: int, width: int) -> None:
        self._file, self._height, self._width = file, height, width
        # Some validators take a raster whose tiles are as wide as itself for an untiled one.
        self.block = BLOCK // 2 if width == BLOCK < height else BLOCK
        self._tile_rows, self._tile_columns = -(-height // self.block), -(-width // self.block)
        self._next_row = 0
        self._tiles: dict[_Place, bytes] = {}
        self._sizes: list[int] = []
        self._strips: dict[int, _Strip] = {}
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, height: int, width: int) -> Self:
        """Create the level with its file of tiles at `path`."""
        return cls(TileFile.create(path), height, width)

    @property
    def is_whole(self) -> bool:
        return self._next_row == self._tile_rows

    def keep(self, tiles: dict[_Place, bytes]) -> None:
        """Take encoded tiles. Those ahead of their turn wait in memory."""
        with self._lock:
            self._tiles.update(tiles)
            while self._next_row < self._tile_rows:
                row = [(self._next_row, column) for column in range(self._tile_columns)]
                if not all(place in self._tiles for place in row):
                    return
                for place in row:
                    tile = self._tiles.pop(place)
                    self._sizes.append(len(tile))
                    self._file.append(*ifd.framed(tile))
                self._next_row += 1

    def take(self, top: int, left: int, pixels: PixelArray) -> PixelArray | None:
        """Take pixels. Returns the BLOCK rows in which they lie once these are complete, else None."""
        row, inside = divmod(top, BLOCK)
        with self._lock:
            strip = self._strips.get(row)
            if strip is None:
                rows = min(BLOCK, self._height - row * BLOCK)
                strip = self._strips[row] = _Strip(np.empty((rows, self._width), pixels.dtype))
            if not strip.is_whole_with(inside, left, pixels):
                return None
            return self._strips.pop(row).pixels

    def layout(self) -> ifd.Level:
        return ifd.Level(width=self._width, height=self._height, block=self.block, sizes=self._sizes)

    def pieces(self) -> Iterator[memoryview]:
        """All tiles as they stand in the file."""
        return self._file.pieces()

    def remove(self) -> None:
        self._file.remove()


class _Strip:
    """Rows of pixels that come in parts."""

    def __init__(self, pixels: PixelArray) -> None:
        self.pixels = pixels
        self._missing = pixels.size

    def is_whole_with(self, top: int, left: int, part: PixelArray) -> bool:
        rows, columns = part.shape
        self.pixels[top : top + rows, left : left + columns] = part
        self._missing -= part.size
        return self._missing == 0
