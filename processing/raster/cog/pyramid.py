"""All resolutions of a raster while it is being made: windows of full resolution in, encoded tiles out.

Each window is encoded by the thread that brings it, and halved for the first overview while it is at hand. What is
left of it at a quarter waits for its neighbours, until they make a row of tiles of the next overview, and so on. Rows
of tiles that are whole leave memory for the disk: it grows with the raster's width, not with its area.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..types import PixelArray, PixelFormat
from . import ifd
from .overviews import halving_for
from .tile_file import TileFile
from .tiles import TileCodec

BLOCK = 512
# The side of the windows that are taken: four tiles, and one of the first overview.
WINDOW = 2 * BLOCK


class Pyramid:
    """`path` is where the finished raster will be: the tiles lie beside it until they are removed. Raises OSError."""

    def __init__(self, path: Path, shape: tuple[int, int], pixel_format: PixelFormat, codec: TileCodec) -> None:
        self._format, self._codec = pixel_format, codec
        self._halve = halving_for(pixel_format)
        self._empty_tiles: dict[int, bytes] = {}  # by their side
        self._levels: list[_Level] = []
        try:
            for index, (height, width) in enumerate(_shapes(*shape)):
                self._levels.append(_Level(path.with_name(f".{path.name}.{index}.tiles"), height, width))
        except OSError:
            self.remove()
            raise

    @property
    def is_whole(self) -> bool:
        return all(level.next_row == level.tile_rows for level in self._levels)

    def add(self, top: int, left: int, pixels: PixelArray) -> None:
        """Take the window at (top, left), both multiples of WINDOW. Any thread may bring it."""
        self._encode(self._levels[0], top, left, pixels)
        if len(self._levels) > 1:
            half = self._halve(pixels)
            self._encode(self._levels[1], top // 2, left // 2, half)
            self._gather(2, top // 4, left // 4, half)

    def layout(self) -> list[ifd.Level]:
        return [level.layout() for level in self._levels]

    def pieces(self) -> Iterator[memoryview]:
        """All tiles as they stand in the file, from the coarsest resolution to the full one."""
        for level in reversed(self._levels):
            yield from level.file.pieces()

    def remove(self) -> None:
        for level in self._levels:
            level.file.remove()

    def _gather(self, index: int, top: int, left: int, finer: PixelArray) -> None:
        """Take a part of the level before; where it completes a row of tiles, encode that and go on with it."""
        if index == len(self._levels):
            return
        level = self._levels[index]
        strip = level.take(top, left, self._halve(finer))
        if strip is not None:
            first = top // BLOCK * BLOCK
            self._encode(level, first, 0, strip)
            self._gather(index + 1, first // 2, 0, strip)

    def _encode(self, level: "_Level", top: int, left: int, pixels: PixelArray) -> None:
        block = level.block
        level.keep(
            {
                ((top + row) // block, (left + column) // block): self._encode_tile(
                    pixels[row : row + block, column : column + block], block
                )
                for row in range(0, pixels.shape[0], block)
                for column in range(0, pixels.shape[1], block)
            }
        )

    def _encode_tile(self, pixels: PixelArray, block: int) -> bytes:
        """A tile of `block` pixels a side; beyond the raster's edge it is filled up with nodata."""
        if self._is_nodata(pixels[0, 0]) and self._is_nodata(pixels).all():
            return self._empty_tile(block)
        if pixels.shape == (block, block):
            return self._codec.encode(pixels)
        tile = np.full((block, block), self._format.nodata, dtype=pixels.dtype)
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        return self._codec.encode(tile)

    def _empty_tile(self, block: int) -> bytes:
        """A tile of nodata, which scenes have many of, encoded once."""
        if block not in self._empty_tiles:
            nothing = np.full((block, block), self._format.nodata, dtype=self._format.dtype)
            self._empty_tiles[block] = self._codec.encode(nothing)
        return self._empty_tiles[block]

    def _is_nodata(self, pixels: PixelArray) -> PixelArray:
        return np.isnan(pixels) if np.isnan(self._format.nodata) else pixels == self._format.nodata


class _Level:
    """One resolution: its tiles by (row, column), and the rows of pixels that will become tiles."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self._height, self._width = height, width
        # Some validators take a raster for untiled whose tiles are as wide as itself.
        self.block = BLOCK // 2 if width == BLOCK < height else BLOCK
        self.tile_rows, self._tile_columns = -(-height // self.block), -(-width // self.block)
        self.next_row = 0
        self.file = TileFile(path)
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._sizes: list[int] = []
        self._strips: dict[int, _Strip] = {}
        self._lock = threading.Lock()

    def keep(self, tiles: dict[tuple[int, int], bytes]) -> None:
        """Rows of tiles go to the disk in their order; only what is ahead of its turn waits."""
        with self._lock:
            self._tiles.update(tiles)
            while self.next_row < self.tile_rows:
                row = [(self.next_row, column) for column in range(self._tile_columns)]
                if not all(place in self._tiles for place in row):
                    return
                for place in row:
                    tile = self._tiles.pop(place)
                    self._sizes.append(len(tile))
                    self.file.append(*ifd.framed(tile))
                self.next_row += 1

    def take(self, top: int, left: int, pixels: PixelArray) -> PixelArray | None:
        """Keep the pixels; gives the BLOCK rows that they lie in, once all of these are there."""
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


def _shapes(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Full resolution, then halves, rounded up, until one tile is enough."""
    yield height, width
    while max(width, height) > BLOCK:
        height, width = (height + 1) // 2, (width + 1) // 2
        yield height, width
