"""A sample of a job's pixels, taken while its windows are computed.

It has every so many rows and columns of the result, up to 512 x 512 pixels; all pixels if there are no more. Besides,
it has up to 16 tiles at full resolution, spread evenly, for measuring how images lie on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from rasterio.windows import Window

from ..radiometry.masks import HIDDEN
from ..radiometry.reflectance import valid_pixels
from ..reading.scene_reader import SceneWindow
from ..types import BoolArray, PixelArray
from .registration import TILE

_SIDE = 512
_TILES_ALONG_SIDE = 4


@dataclass(frozen=True, kw_only=True)
class SceneSample:
    """Pixels of one scene in the area of interest, (pixels,) each: DN by band, and whether they are clear."""

    dn: Mapping[str, PixelArray]
    clear: BoolArray | None  # None without a mask


@dataclass(frozen=True, kw_only=True)
class Tile:
    """TILE x TILE pixels of the red band of each scene, and where all are valid and clear."""

    reds: Sequence[PixelArray]
    valid: BoolArray


class Sampler:
    """Looks at windows, from any number of threads. The sample does not depend on their order."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._every = max(1, ceil(max(shape) / _SIDE))
        self._corners = set(product(*(_starts(size) for size in shape)))
        self._looks: dict[tuple[int, int], list[SceneSample]] = {}
        self._tiles: dict[tuple[int, int], Tile] = {}

    def look(self, window: Window, scenes: Sequence[SceneWindow], inside: BoolArray) -> None:
        """Take the sample's part of a window, of whose pixels those `inside` are in the area of interest."""
        top, left = int(window.row_off), int(window.col_off)
        places = slice(-top % self._every, None, self._every), slice(-left % self._every, None, self._every)
        self._looks[top, left] = [_sample(scene, places, inside[places]) for scene in scenes]
        for row, column in self._corners:
            if 0 <= row - top < inside.shape[0] and 0 <= column - left < inside.shape[1]:
                self._look_at_tile((row, column), (row - top, column - left), scenes, inside)

    def scenes(self) -> list[SceneSample]:
        """The whole sample, once all windows have been looked at."""
        looks = [self._looks[corner] for corner in sorted(self._looks)]
        return [_joined(parts) for parts in zip(*looks, strict=True)]

    @property
    def size(self) -> int:
        """Pixels of the sample in the area of interest."""
        return sum(len(dn) for look in self._looks.values() for dn in list(look[0].dn.values())[:1])

    def tiles(self) -> list[Tile]:
        """Those with the most valid pixels first."""
        tiles = [self._tiles[corner] for corner in sorted(self._tiles)]
        return sorted(tiles, key=lambda tile: -int(tile.valid.sum()))

    def _look_at_tile(
        self, corner: tuple[int, int], place: tuple[int, int], scenes: Sequence[SceneWindow], inside: BoolArray
    ) -> None:
        part = slice(place[0], place[0] + TILE), slice(place[1], place[1] + TILE)
        if len(scenes) < 2 or not all("red" in scene.dn for scene in scenes):
            return
        valid = inside[part].copy()
        for scene in scenes:
            valid &= valid_pixels(scene.dn["red"][part], scene.bands["red"].nodata)
            if scene.clarity is not None:
                valid &= scene.clarity[part] != HIDDEN
        self._tiles[corner] = Tile(reds=[scene.dn["red"][part].copy() for scene in scenes], valid=valid)


def _starts(size: int) -> set[int]:
    """Where tiles begin along a side. They are multiples of TILE, so that no tile lies across windows."""
    middles = ((place + 0.5) / _TILES_ALONG_SIDE * size for place in range(_TILES_ALONG_SIDE))
    starts = {int(middle) // TILE * TILE for middle in middles}
    return {start for start in starts if start + TILE <= size}


def _sample(scene: SceneWindow, places: tuple[slice, slice], inside: BoolArray) -> SceneSample:
    clear = None if scene.clarity is None else scene.clarity[places][inside] != HIDDEN
    return SceneSample(dn={name: dn[places][inside] for name, dn in scene.dn.items()}, clear=clear)


def _joined(parts: Sequence[SceneSample]) -> SceneSample:
    clear = [part.clear for part in parts if part.clear is not None]
    return SceneSample(
        dn={name: np.concatenate([part.dn[name] for part in parts]) for name in parts[0].dn},
        clear=np.concatenate(clear) if clear else None,
    )
