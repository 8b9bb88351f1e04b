"""A grid: the pixels of a raster on the ground, and the windows in which they are computed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil, copysign, cos, floor, isfinite, radians, sqrt
from typing import Self

import numpy as np
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import transform as transform_coordinates
from rasterio.windows import Window
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ..types import Float64Array

WGS84 = CRS.from_epsg(4326)

_METRES_PER_DEGREE = 111_320.0  # along a meridian; for comparing resolutions only
# Grids whose pixels lie this close to each other, in pixels, are the same.
_SAME_PLACE = 1e-3
_POINTS_PER_EDGE = 21
_MARGIN_DEGREES = 0.1
# Straight in longitude and latitude is not straight in a projection. Edges of a hundredth of a degree (about 1 km)
# bend by some centimetres.
_LONGEST_EDGE_DEGREES = 0.01
_HALF_TURN = 180
# Degrees by which longitudes may be counted differently on either side of the antimeridian.
TURNS = (0.0, 360.0, -360.0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Places of a row or column of pixel centres on another grid, in its pixels from its first centre."""

    first: float
    step: float


@dataclass(frozen=True, kw_only=True)
class Grid:
    """`height` rows and `width` columns of pixels in `crs`; `transform` maps (column, row) corners to coordinates.

    Pixels may be oblong, and the rows may run in any direction.
    """

    crs: CRS
    transform: Affine
    width: int
    height: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> Self:
        return cls(crs=dataset.crs, transform=dataset.transform, width=dataset.width, height=dataset.height)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def proj_code(self) -> str | None:
        """Such as EPSG:32610; None if no authority has a code for the CRS."""
        authority = self.crs.to_authority()
        return ":".join(authority) if authority else None

    @property
    def gsd(self) -> float:
        """Ground sample distance: the side of a square as large as a pixel in the grid's middle, in metres."""
        area = abs(self.transform.determinant)
        if self.crs.is_geographic:
            latitude = (self.transform @ (self.width / 2, self.height / 2))[1]
            return _METRES_PER_DEGREE * sqrt(area * cos(radians(latitude)))
        return float(self.crs.linear_units_factor[1] * sqrt(area))

    @property
    def rectangle(self) -> BaseGeometry:
        """All of the grid in pixel coordinates: (column, row)."""
        return shapely.box(0, 0, self.width, self.height)

    def windows(self, block: int) -> Iterator[Window]:
        """Square windows of `block` pixels, row by row; those at the right and lower edge are cut to the grid."""
        for row in range(0, self.height, block):
            for column in range(0, self.width, block):
                yield Window(column, row, min(block, self.width - column), min(block, self.height - row))

    def window_count(self, block: int) -> int:
        return ceil(self.width / block) * ceil(self.height / block)

    def cut(self, window: Window) -> "Grid":
        """The part of the grid in `window`."""
        moved = self.transform @ Affine.translation(window.col_off, window.row_off)
        return replace(self, transform=moved, width=int(window.width), height=int(window.height))

    def moved(self, degrees: float) -> "Grid":
        """The same pixels with their longitudes counted the other way around the globe."""
        return replace(self, transform=Affine.translation(degrees, 0) @ self.transform)

    def offset_in(self, other: "Grid") -> tuple[int, int] | None:
        """(column, row) of this grid's first pixel in `other` if both have the same pixels, else None.

        All of this grid must lie inside of `other`.
        """
        if self.crs != other.crs or not _same_pixels(self, other):
            return None
        column, row = ~other.transform @ (self.transform.c, self.transform.f)
        whole = round(column), round(row)
        aligned = max(abs(column - whole[0]), abs(row - whole[1])) < _SAME_PLACE
        inside = 0 <= whole[0] <= other.width - self.width and 0 <= whole[1] <= other.height - self.height
        return whole if aligned and inside else None

    def axes_on(self, other: "Grid") -> "tuple[Line, Line] | None":
        """This grid's columns and rows on those of `other`; None if they run in other directions."""
        turned = any(abs(grid.transform.b) + abs(grid.transform.d) > 0 for grid in (self, other))
        if turned or self.crs != other.crs:
            return None
        mine, theirs = self.transform, other.transform
        column = Line(first=(mine.c + mine.a / 2 - theirs.c) / theirs.a - 0.5, step=mine.a / theirs.a)
        row = Line(first=(mine.f + mine.e / 2 - theirs.f) / theirs.e - 0.5, step=mine.e / theirs.e)
        return column, row

    def footprint_of(self, other: "Grid") -> tuple[BaseGeometry, float]:
        """Outline of `other` in this grid's pixel coordinates, and the degrees that its longitudes were moved by.

        The outline is empty where no part of `other` can be seen from this grid's CRS. Longitudes are only moved where
        both grids are in degrees, so that one that ends at 180 meets one that begins at -180.
        """
        xs, ys = transform_coordinates(other.crs, self.crs, *_outline(other))
        turns: tuple[float, ...] = (0.0,)
        if self.crs.is_geographic:
            xs, turns = list(np.unwrap(xs, period=360)), TURNS
        candidates = [(self._polygon([x + turn for x in xs], ys), turn) for turn in turns]
        outline, turn = max(candidates, key=lambda candidate: self._shared_area(candidate[0]))
        return outline, turn if other.crs.is_geographic else 0.0

    @property
    def footprint(self) -> BaseGeometry:
        """The outline in WGS 84 degrees. Longitudes run on across the antimeridian."""
        xs, ys = _outline(self)
        longitudes, latitudes = transform_coordinates(self.crs, WGS84, [*xs, xs[0]], [*ys, ys[0]])
        longitudes = np.unwrap(longitudes, period=360)
        ring = list(zip(longitudes, latitudes, strict=True))
        if abs(longitudes[-1] - longitudes[0]) > _HALF_TURN:  # around a pole, which is part of the grid
            pole = copysign(90, latitudes[0])
            ring += [(longitudes[-1], pole), (longitudes[0], pole)]
        return shapely.Polygon(ring)

    def in_pixels(self, area: BaseGeometry) -> BaseGeometry:
        """The part of an area in WGS 84 degrees that lies near the grid, in its pixel coordinates.

        Empty if there is none, or if this CRS cannot show it.
        """

        # Clip first: a projection cannot show the other side of the Earth, and long edges become many short ones.
        west, south, east, north = self.footprint.bounds
        around = shapely.box(
            west - _MARGIN_DEGREES, south - _MARGIN_DEGREES, east + _MARGIN_DEGREES, north + _MARGIN_DEGREES
        )
        near = shapely.union_all([translate(area, turn).intersection(around) for turn in TURNS])

        def project(positions: Float64Array) -> Float64Array:
            xs, ys = transform_coordinates(WGS84, self.crs, positions[:, 0], positions[:, 1])
            return np.column_stack(~self.transform @ (np.asarray(xs), np.asarray(ys)))

        projected = shapely.transform(shapely.segmentize(near, _LONGEST_EDGE_DEGREES), project)
        return projected if np.isfinite(shapely.get_coordinates(projected)).all() else shapely.Polygon()

    def _shared_area(self, area: BaseGeometry) -> float:
        return float(area.intersection(self.rectangle).area)

    def _polygon(self, xs: list[float], ys: list[float]) -> BaseGeometry:
        if not all(isfinite(value) for value in (*xs, *ys)):
            return shapely.Polygon()
        outline = shapely.Polygon([~self.transform @ point for point in zip(xs, ys, strict=True)])
        return outline if outline.is_valid else outline.buffer(0)


def window_at(window: Window, corner: tuple[int, int]) -> Window:
    """The same window counted from further out: `corner` is where its grid begins, as (column, row)."""
    return Window(window.col_off + corner[0], window.row_off + corner[1], window.width, window.height)


def inner_window(area: BaseGeometry) -> Window | None:
    """The window of all whole pixels inside the bounds of `area` (pixel coordinates); None if there is none."""
    return _window(area, lambda low: ceil(low - _SAME_PLACE), lambda high: floor(high + _SAME_PLACE))


def outer_window(area: BaseGeometry) -> Window | None:
    """The window of all pixels that the bounds of `area` (pixel coordinates) touch; None if there is none."""
    return _window(area, lambda low: floor(low + _SAME_PLACE), lambda high: ceil(high - _SAME_PLACE))


def _window(area: BaseGeometry, round_low: Callable[[float], int], round_high: Callable[[float], int]) -> Window | None:
    if area.is_empty:
        return None
    left, top, right, bottom = area.bounds
    column, row = round_low(left), round_low(top)
    width, height = round_high(right) - column, round_high(bottom) - row
    return Window(column, row, width, height) if width > 0 and height > 0 else None


def _same_pixels(a: Grid, b: Grid) -> bool:
    """Whether pixels have the same size and direction, so that all along the grid they do not drift apart."""
    allowed = _SAME_PLACE * sqrt(abs(b.transform.determinant)) / max(a.shape)
    return all(abs(getattr(a.transform, term) - getattr(b.transform, term)) < allowed for term in "abde")


def _outline(grid: Grid) -> tuple[list[float], list[float]]:
    """Points along the grid's edges in its CRS, close enough together that straight lines between them will do."""
    steps = np.linspace(0, 1, _POINTS_PER_EDGE)[:-1]
    columns = grid.width * np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    rows = grid.height * np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    points = [grid.transform @ point for point in zip(columns, rows, strict=True)]
    return [x for x, _ in points], [y for _, y in points]
