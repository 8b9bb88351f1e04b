"""Scenes of the size that satellites deliver, made of the sandbox's landscape laid side by side in mirror images."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.raster.sandbox.catalogue import sandbox_catalogue
from processing.raster.sandbox.landscape import DATES, Landscape

# Noise of the sensor, in reflectance: keeps the repeated tiles from compressing better than real scenes do.
_NOISE = 0.0012
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, kw_only=True)
class LargeLandscape:
    """A Landscape of any even size, by default that of a Sentinel-2 tile."""

    size: int = 10980
    tile: Landscape = field(default_factory=Landscape)

    def reflectance(self, date: str, band: str) -> npt.NDArray[np.float32]:
        large = self._laid_side_by_side(self.tile.reflectance(date, band))
        rng = np.random.default_rng([DATES.index(date), *band.encode()])
        for rows in _slices(len(large)):
            large[rows] += rng.standard_normal(large[rows].shape, dtype=np.float32) * np.float32(_NOISE)
        return large

    def scene_classification(self, date: str) -> npt.NDArray[np.uint8]:
        return self._laid_side_by_side(self.tile.scene_classification(date))

    def truth(self) -> npt.NDArray[np.uint8]:
        return self._laid_side_by_side(self.tile.truth())

    def _laid_side_by_side(self, tile: npt.NDArray[Any]) -> npt.NDArray[Any]:
        side = self.size * len(tile) // self.tile.size
        index = np.arange(side) % (2 * len(tile))
        index = np.where(index < len(tile), index, 2 * len(tile) - 1 - index)
        return tile[np.ix_(index, index)]


def large_scenes(folder: Path, size: int) -> Path:
    """A sandbox folder whose two scenes have `size` x `size` pixels; written once, which takes minutes."""
    directory = folder / f"scenes-{size}"
    sandbox_catalogue(directory, LargeLandscape(size=size))
    return directory


def _slices(rows: int) -> Iterator[slice]:
    for first in range(0, rows, _ROWS_AT_ONCE):
        yield slice(first, first + _ROWS_AT_ONCE)
