"""Pixels in some map: their outline on the ground and on other grids."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, copysign, floor, isfinite
from typing import NamedTuple, Self

import numpy as np
import shapely
from affine import Affine
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ..types import Float64Array

# Grids whose pixels lie this close to each other, in pixels, are the same.
SAME_PLACE = 1e-3
# Degrees by which longitudes may be counted differently on either side of the antimeridian.
TURNS = (0.0, 360.0, -360.0)
_POINTS_PER_EDGE = 21
_MARGIN_DEGREES = 0.1
# Straight in longitude and latitude is not straight in a projection. Edges of a hundredth of a degree (about 1 km)
# bend by some centimetres.
_LONGEST_EDGE_DEGREES = 0.01
_HALF_TURN = 180

Numbers = Sequence[float] | Float64Array
Coordinates = tuple[Numbers, Numbers]


class Bounds(NamedTuple):
    """A rectangle of whole pixels of a grid."""

    column: int
    row: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class PixelGrid(ABC):
    """`height` rows and `width` columns of pixels; `transform` maps (column, row) corners to coordinates of the map."""

    transform: Affine
    width: int
    height: int

    @property
    @abstractmethod
    def gsd(self) -> float:
        """Ground sample distance: the side of a square as large as a pixel in the grid's middle, in metres."""

    @property
    @abstractmethod
    def is_in_degrees(self) -> bool:
        """Whether the coordinates of the map are longitudes and latitudes."""

    @abstractmethod
    def coordinates_of(self, other: Self, xs: Numbers, ys: Numbers) -> Coordinates:
        """Coordinates of the map of `other`, in this map. Infinite where this map cannot show them."""

    @abstractmethod
    def to_degrees(self, xs: Numbers, ys: Numbers) -> Coordinates:
        """Coordinates of the map as longitudes and latitudes of WGS 84."""

    @abstractmethod
    def from_degrees(self, longitudes: Numbers, latitudes: Numbers) -> Coordinates:
        """Longitudes and latitudes of WGS 84 as coordinates of the map."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def rectangle(self) -> BaseGeometry:
        """All of the grid in pixel coordinates: (column, row)."""
        return shapely.box(0, 0, self.width, self.height)

    def part(self, bounds: Bounds) -> Self:
        """The part of the grid in `bounds`."""
        moved = self.transform @ Affine.translation(bounds.column, bounds.row)
        return replace(self, transform=moved, width=bounds.width, height=bounds.height)

    def footprint_of(self, other: Self) -> tuple[BaseGeometry, float]:
        """Outline of `other` in this grid's pixel coordinates, and the degrees that its longitudes were moved by.

        The outline is empty where no part of `other` can be seen from this grid's map. Longitudes are only moved where
        both grids are in degrees, so that one that ends at 180 meets one that begins at -180.
        """
        xs, ys = self.coordinates_of(other, *_outline(other))
        turns: tuple[float, ...] = (0.0,)
        if self.is_in_degrees:
            xs, turns = list(np.unwrap(xs, period=360)), TURNS
        candidates = [(self._polygon([x + turn for x in xs], ys), turn) for turn in turns]
        outline, turn = max(candidates, key=lambda candidate: self._shared_area(candidate[0]))
        return outline, turn if other.is_in_degrees else 0.0

    @property
    def footprint(self) -> BaseGeometry:
        """The outline in WGS 84 degrees. Longitudes run on across the antimeridian."""
        xs, ys = _outline(self)
        longitudes, latitudes = self.to_degrees([*xs, xs[0]], [*ys, ys[0]])
        longitudes = np.unwrap(longitudes, period=360)
        ring = list(zip(longitudes, latitudes, strict=True))
        if abs(longitudes[-1] - longitudes[0]) > _HALF_TURN:  # around a pole, which is part of the grid
            pole = copysign(90, latitudes[0])
            ring += [(longitudes[-1], pole), (longitudes[0], pole)]
        return shapely.Polygon(ring)

    def in_pixels(self, area: BaseGeometry) -> BaseGeometry:
        """The part of an area in WGS 84 degrees that lies near the grid, in its pixel coordinates.

        Empty if there is none, or if this map cannot show it.
        """

        # Clip first: a projection cannot show the other side of the Earth, and long edges become many short ones.
        west, south, east, north = self.footprint.bounds
        around = shapely.box(
            west - _MARGIN_DEGREES, south - _MARGIN_DEGREES, east + _MARGIN_DEGREES, north + _MARGIN_DEGREES
        )
        near = shapely.union_all([translate(area, turn).intersection(around) for turn in TURNS])

        def project(positions: Float64Array) -> Float64Array:
            xs, ys = self.from_degrees(positions[:, 0], positions[:, 1])
            return np.column_stack(~self.transform @ (np.asarray(xs), np.asarray(ys)))

        projected = shapely.transform(shapely.segmentize(near, _LONGEST_EDGE_DEGREES), project)
        return projected if np.isfinite(shapely.get_coordinates(projected)).all() else shapely.Polygon()

    def _shared_area(self, area: BaseGeometry) -> float:
        return float(area.intersection(self.rectangle).area)

    def _polygon(self, xs: Numbers, ys: Numbers) -> BaseGeometry:
        if not all(isfinite(value) for value in (*xs, *ys)):
            return shapely.Polygon()
        outline = shapely.Polygon([~self.transform @ point for point in zip(xs, ys, strict=True)])
        return outline if outline.is_valid else outline.buffer(0)


def inner_bounds(area: BaseGeometry) -> Bounds | None:
    """All whole pixels inside the bounds of `area` (pixel coordinates); None if there is none."""
    return _bounds(area, lambda low: ceil(low - SAME_PLACE), lambda high: floor(high + SAME_PLACE))


def outer_bounds(area: BaseGeometry) -> Bounds | None:
    """All pixels that the bounds of `area` (pixel coordinates) touch; None if there is none."""
    return _bounds(area, lambda low: floor(low + SAME_PLACE), lambda high: ceil(high - SAME_PLACE))


def _bounds(area: BaseGeometry, round_low: Callable[[float], int], round_high: Callable[[float], int]) -> Bounds | None:
    if area.is_empty:
        return None
    left, top, right, bottom = area.bounds
    column, row = round_low(left), round_low(top)
    width, height = round_high(right) - column, round_high(bottom) - row
    return Bounds(column, row, width, height) if width > 0 and height > 0 else None


def _outline(grid: PixelGrid) -> tuple[list[float], list[float]]:
    """Points along the grid's edges in its map, close enough together that straight lines between them will do."""
    steps = np.linspace(0, 1, _POINTS_PER_EDGE)[:-1]
    columns = grid.width * np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    rows = grid.height * np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    points = [grid.transform @ point for point in zip(columns, rows, strict=True)]
    return [x for x, _ in points], [y for _, y in points]
