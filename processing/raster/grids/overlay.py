"""One grid for all scenes: their overlap, and the part of it in an area of interest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ..errors import AoiOutsideScene, ScenesDoNotOverlap
from ..types import BoolArray
from .grid import TURNS, Grid, inner_window, outer_window
from .ground_areas import area_on_ground

# Scenes that share less than this part of the smallest one are neighbours that only touch.
_LEAST_OVERLAP_PERCENT = 1.0
# An area of which more is covered lies in the scenes: the outline of a grid in degrees is this exact.
_ALL_PERCENT = 99.99
# Resolutions that differ by less than this factor are the same.
_SAME_RESOLUTION = 1 + 1e-6


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
    owner = reduce(_coarser, grids)
    footprints = {index: owner.footprint_of(grid) for index, grid in enumerate(grids) if grid is not owner}
    outlines = [*(outline for outline, _ in footprints.values()), owner.rectangle]
    common = shapely.intersection_all(outlines)
    window = inner_window(common)
    smallest = min(outline.area for outline in outlines)
    percent = 100 * common.area / smallest if smallest else 0.0
    if window is None or percent < _LEAST_OVERLAP_PERCENT:
        raise ScenesDoNotOverlap("The scenes do not show the same ground, so there is nothing to compare.")
    grid = owner.cut(window)
    turns = tuple(footprints[index][1] if index in footprints else 0.0 for index in range(len(grids)))
    return Overlay(grid=grid, whole=grid, turns=turns, overlap_percent=percent)


def _coarser(grid: Grid, other: Grid) -> Grid:
    """The coarser of both; `grid` if they are alike."""
    return other if other.gsd > grid.gsd * _SAME_RESOLUTION else grid


def clip(overlay: Overlay, area: BaseGeometry) -> Overlay:
    """The part of the overlay in the bounding window of `area` (WGS 84 degrees). Raises AoiOutsideScene."""
    in_pixels = overlay.grid.in_pixels(area)
    window = outer_window(in_pixels.intersection(overlay.grid.rectangle))
    if window is None:
        raise AoiOutsideScene("The area of interest lies outside of what the scenes show.")
    return replace(
        overlay,
        grid=overlay.grid.cut(window),
        corner=(int(window.col_off), int(window.row_off)),
        area=translate(in_pixels, -window.col_off, -window.row_off),
        area_covered_percent=_covered_percent(overlay.grid.footprint, area),
    )


def _covered_percent(footprint: BaseGeometry, area: BaseGeometry) -> float:
    """The share of `area` that lies in `footprint`, on the ground. Both are in WGS 84 degrees."""
    covered = shapely.union_all([translate(area, turn).intersection(footprint) for turn in TURNS])
    percent = 100 * area_on_ground(covered) / area_on_ground(area)
    return 100.0 if percent > _ALL_PERCENT else percent
