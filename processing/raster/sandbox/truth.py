"""Compares a change map of the sandbox's two scenes with the changes that were made between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from ..grids import Grid
from ..grids.ground_areas import GroundAreas
from ..types import Float64Array
from .catalogue import TRUTH, sandbox_catalogue

_SQUARE_METRES_PER_HECTARE = 10_000


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Hectares of each class as made, and the share of pixels that the map shows as made.

    Both count only pixels that are not nodata in the map.
    """

    hectares_made: Mapping[int, float]
    percent_as_made: float


def compare_with_truth(change_map: Path, sandbox_dir: Path) -> Agreement:
    """Compare a map of the whole sandbox with the truth. Pixels that are nodata in the map count on neither side."""
    with rasterio.open(change_map) as found_file, rasterio.open(sandbox_catalogue(sandbox_dir) / TRUTH) as truth_file:
        found, made = found_file.read(1), truth_file.read(1)
        hectares = _hectares_of_rows(Grid.of(truth_file))
        shown = (found != found_file.nodata) & (made != truth_file.nodata)
    return Agreement(
        hectares_made={
            int(code): float((shown & (made == code)).sum(axis=1) @ hectares) for code in np.unique(made[shown])
        },
        percent_as_made=100 * float((found[shown] == made[shown]).mean()),
    )


def _hectares_of_rows(grid: Grid) -> Float64Array:
    """Of a pixel in each row."""
    return GroundAreas.of(grid).of_rows(Window(0, 0, grid.width, grid.height)) / _SQUARE_METRES_PER_HECTARE
