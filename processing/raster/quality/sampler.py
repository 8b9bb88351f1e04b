"""A sample of a job's pixels, taken while its windows are computed.

It has every so many rows and columns of the result, up to 512 x 512 pixels; all pixels if there are no more. Besides,
it has up to 16 tiles at full resolution, spread evenly, for measuring how images lie on each other.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import ceil
from typing import Self

import numpy as np
from rasterio.windows import Window

from ..radiometry.masks import HIDDEN
from ..radiometry.reflectance import valid_pixels
from ..reading.scene_reader import SceneWindow
from ..types import BoolArray, PixelArray
from .registration import TILE

_SIDE = 512
_TILES_ALONG_SIDE = 4

_Part = tuple[slice, slice]  # rows and columns of an array


@dataclass(frozen=True, kw_only=True)
class SceneSample:
    """Pixels of one scene in the area of interest, (pixels,) each: DN by band, and what the mask says of them."""

    dn: Mapping[str, PixelArray]
    clarity: PixelArray | None  # see `radiometry.masks`; None without a mask

    @property
    def clear(self) -> BoolArray | None:
        return None if self.clarity is None else self.clarity != HIDDEN


@dataclass(frozen=True, kw_only=True)
class Tile:
    """TILE x TILE pixels of the red band of each scene, and where all are valid and clear."""

    reds: Sequence[PixelArray]
    valid: BoolArray


class Sampler:
    """Looks at windows, from any number of threads. The sample does not depend on their order."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._every = max(1, ceil(max(shape) / _SIDE))
        self._corners = sorted(product(*(_starts(size) for size in shape)))
        self._inside = np.zeros([ceil(size / self._every) for size in shape], dtype=np.bool_)
        self._scenes: list[_Kept] = []
        self._preparing = threading.Lock()

    def look(self, window: Window, scenes: Sequence[SceneWindow], inside: BoolArray) -> None:
        """Take the sample's part of a window, of whose pixels those `inside` are in the area of interest."""
        top, left = int(window.row_off), int(window.col_off)
        rows, columns = inside.shape
        rows_from, rows_to = _picked(top, rows, self._every)
        columns_from, columns_to = _picked(left, columns, self._every)
        self._inside[rows_to, columns_to] = inside[rows_from, columns_from]
        tiles = list(self._tiles_in(top, left, inside.shape))
        for kept, scene in zip(self._prepared(scenes), scenes, strict=True):
            kept.take(scene, (rows_from, columns_from), (rows_to, columns_to))
            for number, part in tiles:
                kept.take_tile(scene, part, number, inside[part])

    def scenes(self) -> list[SceneSample]:
        """The whole sample, once all windows have been looked at."""
        return [kept.sample(self._inside) for kept in self._scenes]

    @property
    def size(self) -> int:
        """Pixels of the sample in the area of interest."""
        return int(np.count_nonzero(self._inside))

    def tiles(self) -> list[Tile]:
        """Those with the most valid pixels first. None if there is only one scene, or no red."""
        if len(self._scenes) < 2 or any(kept.reds is None for kept in self._scenes):
            return []
        tiles = [
            Tile(
                reds=[kept.reds[number] for kept in self._scenes if kept.reds is not None],
                valid=reduce(np.logical_and, [kept.valid[number] for kept in self._scenes]),
            )
            for number in range(len(self._corners))
        ]
        return sorted(tiles, key=lambda tile: -int(tile.valid.sum()))

    def _prepared(self, scenes: Sequence[SceneWindow]) -> "list[_Kept]":
        with self._preparing:
            if not self._scenes:
                self._scenes = [_Kept.of(scene, self._inside.shape, len(self._corners)) for scene in scenes]
        return self._scenes

    def _tiles_in(self, top: int, left: int, shape: tuple[int, ...]) -> Iterator[tuple[int, _Part]]:
        """The number of each tile in a window, and its part of the window."""
        for number, (row, column) in enumerate(self._corners):
            if 0 <= row - top < shape[0] and 0 <= column - left < shape[1]:
                yield number, (slice(row - top, row - top + TILE), slice(column - left, column - left + TILE))


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What is kept of one scene, in arrays that are made once and filled window by window.

    Many small arrays that stay would keep those of the windows from using the same memory again and again, as is fast.
    """

    dn: Mapping[str, PixelArray]
    clarity: PixelArray | None
    reds: PixelArray | None  # (tiles, TILE, TILE) like `valid`
    valid: BoolArray

    @classmethod
    def of(cls, scene: SceneWindow, shape: tuple[int, ...], tiles: int) -> Self:
        red = scene.dn.get("red")
        return cls(
            dn={name: np.zeros(shape, dtype=dn.dtype) for name, dn in scene.dn.items()},
            clarity=None if scene.clarity is None else np.zeros(shape, dtype=scene.clarity.dtype),
            reds=None if red is None else np.zeros((tiles, TILE, TILE), dtype=red.dtype),
            valid=np.zeros((tiles, TILE, TILE), dtype=np.bool_),
        )

    def take(self, scene: SceneWindow, part: _Part, place: _Part) -> None:
        for name, dn in scene.dn.items():
            self.dn[name][place] = dn[part]
        if self.clarity is not None and scene.clarity is not None:
            self.clarity[place] = scene.clarity[part]

    def take_tile(self, scene: SceneWindow, part: _Part, number: int, inside: BoolArray) -> None:
        if self.reds is None:
            return
        self.reds[number] = scene.dn["red"][part]
        self.valid[number] = inside & valid_pixels(scene.dn["red"][part], scene.bands["red"].nodata)
        if scene.clarity is not None:
            self.valid[number] &= scene.clarity[part] != HIDDEN

    def sample(self, inside: BoolArray) -> SceneSample:
        return SceneSample(
            dn={name: dn[inside] for name, dn in self.dn.items()},
            clarity=None if self.clarity is None else self.clarity[inside],
        )


def _starts(size: int) -> set[int]:
    """Where tiles begin along a side. They are multiples of TILE, so that no tile lies across windows."""
    middles = ((place + 0.5) / _TILES_ALONG_SIDE * size for place in range(_TILES_ALONG_SIDE))
    starts = {int(middle) // TILE * TILE for middle in middles}
    return {start for start in starts if start + TILE <= size}


def _picked(first: int, size: int, every: int) -> tuple[slice, slice]:
    """The rows, or columns, that the sample takes from a window which begins at `first`; and their place in it."""
    begin = -first % every
    place = ceil(first / every)
    return slice(begin, None, every), slice(place, place + ceil((size - begin) / every) if begin < size else place)
