"""One grid for all inputs: where the scenes overlap, and what an area of interest leaves of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.windows import Window
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ..errors import AoiOutsideScene, ScenesDoNotOverlap
from ..types import BoolArray
from .grid import Grid, inner_window, outer_window

# Scenes that share less than this part of the smaller one are neighbours that only touch.
_LEAST_OVERLAP_PERCENT = 1.0


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """The grid of the result. `turns` are the degrees that each scene's longitudes are moved by to lie on it.

    `whole` is the grid without an area of interest, in which the result begins at `corner` (column, row): scenes are
    resampled on the whole, so that an area shows the very pixels of the full result.
    """

    grid: Grid
    turns: tuple[float, ...]
    whole: Grid
    corner: tuple[int, int] = (0, 0)
    overlap_percent: float = 100.0
    area: BaseGeometry | None = None  # in the grid's pixel coordinates

    def inside(self, window: Window) -> BoolArray:
        """Which pixels of the window have their centre in the area of interest: (rows, columns)."""
        shape = int(window.height), int(window.width)
        if self.area is None:
            return np.ones(shape, dtype=np.bool_)
        pixel_coordinates = Affine.translation(window.col_off, window.row_off)
        inside: BoolArray = geometry_mask([self.area], shape, pixel_coordinates, invert=True)
        return inside


def lay_over(grids: Sequence[Grid]) -> Overlay:
    """The overlap of one or two scenes on the grid of the coarser one; that of the first where they are alike.

    Raises ScenesDoNotOverlap.
    """
    if len(grids) == 1:
        return Overlay(grid=grids[0], whole=grids[0], turns=(0.0,))
    first, second = grids
    owner, other = (second, first) if second.gsd > first.gsd * (1 + 1e-6) else (first, second)
    outline, turn = owner.footprint_of(other)
    common = outline.intersection(owner.rectangle)
    window = inner_window(common)
    smaller = min(outline.area, owner.rectangle.area)
    percent = 100 * common.area / smaller if smaller else 0.0
    if window is None or percent < _LEAST_OVERLAP_PERCENT:
        raise ScenesDoNotOverlap("The two scenes do not show the same ground, so there is nothing to compare.")
    turns = (turn, 0.0) if owner is second else (0.0, turn)
    grid = owner.cut(window)
    return Overlay(grid=grid, whole=grid, turns=turns, overlap_percent=percent)


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
    )
