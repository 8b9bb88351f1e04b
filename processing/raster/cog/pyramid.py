"""All resolutions of a raster while it is made: windows of full resolution in, encoded tiles out.

The thread that brings a window encodes it and halves it for the first overview while it is in the cache. Halved windows
are collected until they fill a row of tiles of the next level, and so on. Rows of tiles that are complete go to the
disk, so memory grows with the raster's width, not with its area.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from ..types import PixelArray, PixelFormat
from . import ifd
from .levels import BLOCK, Level
from .overviews import halving_for
from .tiles import TileCodec

# The side of the windows that are taken: four tiles, and one of the first overview.
WINDOW = 2 * BLOCK


class Pyramid:
    """The levels of one raster, the full resolution first. Takes windows from any thread. Raises OSError."""

    def __init__(self, levels: list[Level], pixel_format: PixelFormat, codec: TileCodec) -> None:
        self._levels, self._format, self._codec = levels, pixel_format, codec
        self._halve = halving_for(pixel_format)
        self._empty_tiles: dict[int, bytes] = {}  # by their side

    @classmethod
    def create(cls, path: Path, shape: tuple[int, int], pixel_format: PixelFormat, codec: TileCodec) -> Self:
        """Create the files of the tiles beside `path`, where the finished raster will be."""
        pyramid = cls([], pixel_format, codec)
        try:
            for index, (height, width) in enumerate(_shapes(*shape)):
                pyramid._levels.append(Level.create(path.with_name(f".{path.name}.{index}.tiles"), height, width))
        except OSError:
            pyramid.remove()
            raise
        return pyramid

    @property
    def is_whole(self) -> bool:
        return all(level.is_whole for level in self._levels)

    def add(self, top: int, left: int, pixels: PixelArray) -> None:
        """Take the window at (top, left), both multiples of WINDOW."""
        self._encode(self._levels[0], top, left, pixels)
        if len(self._levels) > 1:
            half = self._halve(pixels)
            self._encode(self._levels[1], top // 2, left // 2, half)
            self._gather(2, top // 4, left // 4, half)

    def layout(self) -> list[ifd.Level]:
        return [level.layout() for level in self._levels]

    def overview_pieces(self) -> Iterator[memoryview]:
        """The tiles of all overviews as they stand in the file, from the coarsest to the finest."""
        for level in reversed(self._levels[1:]):
            yield from level.pieces()

    def pieces(self) -> Iterator[memoryview]:
        """The tiles of full resolution, which stand after those of the overviews."""
        yield from self._levels[0].pieces()

    def remove(self) -> None:
        for level in self._levels:
            level.remove()

    def _gather(self, index: int, top: int, left: int, finer: PixelArray) -> None:
        """Take a part of the level before. If it completes a row of tiles, encode them and go on to the next level."""
        if index == len(self._levels):
            return
        level = self._levels[index]
        strip = level.take(top, left, self._halve(finer))
        if strip is not None:
            first = top // BLOCK * BLOCK
            self._encode(level, first, 0, strip)
            self._gather(index + 1, first // 2, 0, strip)

    def _encode(self, level: Level, top: int, left: int, pixels: PixelArray) -> None:
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
        """A tile of `block` pixels a side. Beyond the raster's edge it is filled with nodata."""
        if self._is_nodata(pixels[0, 0]) and self._is_nodata(pixels).all():
            return self._empty_tile(block)
        if pixels.shape == (block, block):
            return self._codec.encode(pixels)
        tile = np.full((block, block), self._format.nodata, dtype=pixels.dtype)
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        return self._codec.encode(tile)

    def _empty_tile(self, block: int) -> bytes:
        """A tile of nodata, encoded once, as scenes have many of them."""
        if block not in self._empty_tiles:
            empty = np.full((block, block), self._format.nodata, dtype=self._format.dtype)
            self._empty_tiles[block] = self._codec.encode(empty)
        return self._empty_tiles[block]

    def _is_nodata(self, pixels: PixelArray) -> PixelArray:
        return np.isnan(pixels) if np.isnan(self._format.nodata) else pixels == self._format.nodata


def _shapes(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Full resolution, then halves, rounded up, until one tile is enough."""
    yield height, width
    while max(width, height) > BLOCK:
        height, width = (height + 1) // 2, (width + 1) // 2
        yield height, width
