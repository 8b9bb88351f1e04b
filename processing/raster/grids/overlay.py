"""One grid for all scenes: their overlap, and the part of it in an area of interest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from ..geometry import common_ground, part_in
from ..types import BoolArray
from .grid import Grid


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """The grid of the result. `turns` are the degrees by which the longitudes of each scene are moved to lie on it.

    `whole` is the grid without an area of interest, and the result begins at its pixel `corner` (column, row). Scenes
    are resampled on the whole, so that a result of an area has the same pixels as the full result.
    """

    grid: Grid
    turns: tuple[float, ...]
    whole: Grid
    corner: tuple[int, int] = (0, 0)
    overlap_percent: float = 100.0
    area: BaseGeometry | None = None  # in the grid's pixel coordinates
    area_covered_percent: float = 100.0  # of the area of interest, by what all scenes show

    def grid_for(self, index: int) -> Grid:
        """The whole grid, with longitudes as the scene that is number `index` counts them."""
        turn = self.turns[index]
        return self.whole.moved(-turn) if turn else self.whole

    def inside(self, window: Window) -> BoolArray:
        """Whether the centre of each pixel of the window is in the area of interest: (rows, columns)."""
        shape = int(window.height), int(window.width)
        if self.area is None:
            return np.ones(shape, dtype=np.bool_)
        pixel_coordinates = Affine.translation(window.col_off, window.row_off)
        inside: BoolArray = geometry_mask([self.area], shape, pixel_coordinates, invert=True)
        return inside


def lay_over(grids: Sequence[Grid]) -> Overlay:
    """The overlap of all scenes on the grid of the coarsest one; if several are as coarse, of the first of them.

    Raises ScenesDoNotOverlap.
    """
    common = common_ground(grids)
    return Overlay(grid=common.grid, whole=common.grid, turns=common.turns, overlap_percent=common.percent)


def clip(overlay: Overlay, area: BaseGeometry) -> Overlay:
    """The part of the overlay in the bounding window of `area` (WGS 84 degrees). Raises AoiOutsideScene."""
    part = part_in(overlay.grid, area)
    return replace(
        overlay, grid=part.grid, corner=part.corner, area=part.area, area_covered_percent=part.covered_percent
    )
