"""Scenes of the size that satellites deliver, made of the sandbox's landscape laid side by side in mirror images.

`python -m bench.large_landscape SIZE [BAND ...]` writes two of them once, which takes minutes.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.raster.sandbox.catalogue import sandbox_catalogue
from processing.raster.sandbox.landscape import BANDS, DATES, NODATA, Landscape

from .scenes import scenes_folder

# Noise of the sensor, in reflectance: keeps the repeated tiles from compressing better than real scenes do.
_NOISE = 0.0012
_ROWS_AT_ONCE = 1024
# The columns of the tile that its own swath covers at both dates, so that no edge of it is repeated inside the scene.
_SEEN = 55 / 64
# The edge of the swath runs through the scene from (_EDGE, top) to (_EDGE - _LEAN, bottom): 15 % lie beyond it.
_EDGE, _LEAN = 0.90, 0.10


@dataclass(frozen=True, kw_only=True)
class LargeLandscape:
    """A Landscape of any even size, by default that of a Sentinel-2 tile, with 15 % nodata beyond the swath's edge.

    Bands other than `bands` have no data, which saves most of the time if a measurement needs only two.
    """

    size: int = 10980
    bands: Sequence[str] = BANDS
    tile: Landscape = field(default_factory=Landscape)

    def reflectance(self, date: str, band: str) -> npt.NDArray[np.float32]:
        large = self._laid_side_by_side(self.tile.reflectance(date, band))
        if band not in self.bands:
            large[:] = np.nan
            return large
        rng = np.random.default_rng([DATES.index(date), *band.encode()])
        for rows in _slices(len(large)):
            large[rows] += rng.standard_normal(large[rows].shape, dtype=np.float32) * np.float32(_NOISE)
        return self._cut_to_swath(large, np.nan)

    def scene_classification(self, date: str) -> npt.NDArray[np.uint8]:
        return self._cut_to_swath(self._laid_side_by_side(self.tile.scene_classification(date)), 0)

    def truth(self) -> npt.NDArray[np.uint8]:
        return self._cut_to_swath(self._laid_side_by_side(self.tile.truth()), NODATA)

    def _cut_to_swath(self, pixels: npt.NDArray[Any], nodata: float) -> npt.NDArray[Any]:
        """The same array with nodata beyond the swath's edge, which divides no pixel of 20 m."""
        half, pixels_per_20_m = self.size // 2, 2 * len(pixels) // self.size
        for row in range(len(pixels)):
            edge = _EDGE - _LEAN * (row // pixels_per_20_m) / half
            pixels[row, int(edge * half) * pixels_per_20_m :] = nodata
        return pixels

    def _laid_side_by_side(self, tile: npt.NDArray[Any]) -> npt.NDArray[Any]:
        side = self.size * len(tile) // self.tile.size
        return tile[np.ix_(_there_and_back(len(tile), side), _there_and_back(int(len(tile) * _SEEN), side))]


def _there_and_back(length: int, wanted: int) -> npt.NDArray[np.intp]:
    """0 to length - 1, back again to 0, and so on."""
    index = np.arange(wanted) % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def _slices(rows: int) -> Iterator[slice]:
    for first in range(0, rows, _ROWS_AT_ONCE):
        yield slice(first, first + _ROWS_AT_ONCE)


if __name__ == "__main__":
    side, only = int(sys.argv[1]), sys.argv[2:]
    sandbox_catalogue(scenes_folder(side, only), LargeLandscape(size=side, bands=only or BANDS))
