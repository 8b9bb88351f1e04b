"""A grid: the pixels of a raster on the ground, and the windows in which they are computed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, cos, radians, sqrt
from typing import Self

from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import transform as transform_coordinates
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from ..geometry import PixelGrid
from ..geometry.pixel_grid import SAME_PLACE, Bounds, Coordinates, Numbers, outer_bounds

WGS84 = CRS.from_epsg(4326)

_METRES_PER_DEGREE = 111_320.0  # along a meridian; for comparing resolutions only


@dataclass(frozen=True, kw_only=True)
class Line:
    """Places of a row or column of pixel centres on another grid, in its pixels from its first centre."""

    first: float
    step: float


@dataclass(frozen=True, kw_only=True)
class Grid(PixelGrid):
    """`height` rows and `width` columns of pixels in `crs`; `transform` maps (column, row) corners to coordinates.

    Pixels may be oblong, and the rows may run in any direction.
    """

    crs: CRS

    @classmethod
    def of(cls, dataset: DatasetReader) -> Self:
        return cls(crs=dataset.crs, transform=dataset.transform, width=dataset.width, height=dataset.height)

    @property
    def proj_code(self) -> str | None:
        """Such as EPSG:32610; None if no authority has a code for the CRS."""
        authority = self.crs.to_authority()
        return ":".join(authority) if authority else None

    @property
    def gsd(self) -> float:
        area = abs(self.transform.determinant)
        if self.crs.is_geographic:
            latitude = (self.transform @ (self.width / 2, self.height / 2))[1]
            return _METRES_PER_DEGREE * sqrt(area * cos(radians(latitude)))
        return float(self.crs.linear_units_factor[1] * sqrt(area))

    @property
    def is_in_degrees(self) -> bool:
        return bool(self.crs.is_geographic)

    def coordinates_of(self, other: Self, xs: Numbers, ys: Numbers) -> Coordinates:
        return _transformed(other.crs, self.crs, xs, ys)

    def to_degrees(self, xs: Numbers, ys: Numbers) -> Coordinates:
        return _transformed(self.crs, WGS84, xs, ys)

    def from_degrees(self, longitudes: Numbers, latitudes: Numbers) -> Coordinates:
        return _transformed(WGS84, self.crs, longitudes, latitudes)

    def windows(self, block: int) -> Iterator[Window]:
        """Square windows of `block` pixels, row by row; those at the right and lower edge are cut to the grid."""
        for row in range(0, self.height, block):
            for column in range(0, self.width, block):
                yield Window(column, row, min(block, self.width - column), min(block, self.height - row))

    def window_count(self, block: int) -> int:
        return ceil(self.width / block) * ceil(self.height / block)

    def cut(self, window: Window) -> "Grid":
        """The part of the grid in `window`."""
        return self.part(Bounds(window.col_off, window.row_off, int(window.width), int(window.height)))

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
        aligned = max(abs(column - whole[0]), abs(row - whole[1])) < SAME_PLACE
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


def window_at(window: Window, corner: tuple[int, int]) -> Window:
    """The same window counted from further out: `corner` is where its grid begins, as (column, row)."""
    return Window(window.col_off + corner[0], window.row_off + corner[1], window.width, window.height)


def outer_window(area: BaseGeometry) -> Window | None:
    """The window of all pixels that the bounds of `area` (pixel coordinates) touch; None if there is none."""
    bounds = outer_bounds(area)
    return Window(*bounds) if bounds else None


def _transformed(source: CRS, target: CRS, xs: Numbers, ys: Numbers) -> Coordinates:
    found_xs, found_ys = transform_coordinates(source, target, xs, ys)
    return found_xs, found_ys


def _same_pixels(a: Grid, b: Grid) -> bool:
    """Whether pixels have the same size and direction, so that all along the grid they do not drift apart."""
    allowed = SAME_PLACE * sqrt(abs(b.transform.determinant)) / max(a.shape)
    return all(abs(getattr(a.transform, term) - getattr(b.transform, term)) < allowed for term in "abde")
