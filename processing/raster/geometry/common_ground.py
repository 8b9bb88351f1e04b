"""The ground that all scenes show, and the part of it in an area of interest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ..errors import AoiOutsideScene, ScenesDoNotOverlap, SceneTooLarge
from ..types import Limits
from .ellipsoid import area_on_ground
from .pixel_grid import TURNS, PixelGrid, inner_bounds, outer_bounds

G = TypeVar("G", bound=PixelGrid)

# Scenes that share less than this part of the smallest one are neighbours that only touch.
_LEAST_OVERLAP_PERCENT = 1.0
# An area of which more is covered lies in the scenes: the outline of a grid in degrees is this exact.
_ALL_PERCENT = 99.99
# Resolutions that differ by less than this factor are the same.
_SAME_RESOLUTION = 1 + 1e-6


@dataclass(frozen=True, kw_only=True)
class CommonGround(Generic[G]):
    """What all grids share, on the pixels of one of them.

    `turns` are the degrees by which the longitudes of each are moved to lie on it, `percent` is its share of the
    smallest of them.
    """

    grid: G
    turns: tuple[float, ...]
    percent: float


@dataclass(frozen=True, kw_only=True)
class Part(Generic[G]):
    """The part of a grid in the bounding window of an area, which begins at the grid's pixel `corner` (column, row).

    `area` is in the pixel coordinates of the part; the grid covers `covered_percent` of it.
    """

    grid: G
    corner: tuple[int, int]
    area: BaseGeometry
    covered_percent: float


def common_ground(grids: Sequence[G]) -> CommonGround[G]:
    """The overlap of all grids on the pixels of the coarsest one; if several are as coarse, of the first of them.

    Raises ScenesDoNotOverlap.
    """
    owner = reduce(_coarser, grids)
    footprints = {index: owner.footprint_of(grid) for index, grid in enumerate(grids) if grid is not owner}
    outlines = [*(outline for outline, _ in footprints.values()), owner.rectangle]
    common = shapely.intersection_all(outlines)
    bounds = inner_bounds(common)
    smallest = min(outline.area for outline in outlines)
    percent = 100 * common.area / smallest if smallest else 0.0
    if bounds is None or percent < _LEAST_OVERLAP_PERCENT:
        raise ScenesDoNotOverlap("The scenes do not show the same ground, so there is nothing to compare.")
    turns = tuple(footprints[index][1] if index in footprints else 0.0 for index in range(len(grids)))
    return CommonGround(grid=owner.part(bounds), turns=turns, percent=percent)


def _coarser(grid: G, other: G) -> G:
    """The coarser of both; `grid` if they are alike."""
    return other if other.gsd > grid.gsd * _SAME_RESOLUTION else grid


def part_in(grid: G, area: BaseGeometry) -> Part[G]:
    """The part of the grid in the bounding window of `area` (WGS 84 degrees). Raises AoiOutsideScene."""
    in_pixels = grid.in_pixels(area)
    bounds = outer_bounds(in_pixels.intersection(grid.rectangle))
    if bounds is None:
        raise AoiOutsideScene("The area of interest lies outside of what the scenes show.")
    return Part(
        grid=grid.part(bounds),
        corner=(bounds.column, bounds.row),
        area=translate(in_pixels, -bounds.column, -bounds.row),
        covered_percent=_covered_percent(grid.footprint, area),
    )


def check_pixels(grid: PixelGrid, limits: Limits) -> None:
    """Raise SceneTooLarge if a result may not have so many pixels. Bands may be coarser, and have their own limit."""
    pixels = grid.width * grid.height
    if pixels > limits.max_pixels:
        size = f"{pixels:,} pixels; this service computes up to {limits.max_pixels:,.0f} in a job"
        raise SceneTooLarge(f"The result would have {size}. A smaller aoi needs fewer.")


def _covered_percent(footprint: BaseGeometry, area: BaseGeometry) -> float:
    """The share of `area` that lies in `footprint`, on the ground. Both are in WGS 84 degrees."""
    covered = shapely.union_all([translate(area, turn).intersection(footprint) for turn in TURNS])
    percent = 100 * area_on_ground(covered) / area_on_ground(area)
    return 100.0 if percent > _ALL_PERCENT else percent
