"""How much ground the pixels of a grid cover.

One rule for all grids: the area on the ellipsoid of WGS 84, averaged over the pixels of a row. What a projection
stretches (UTM by up to 0.2 % of the area) is taken out again.
"""

from dataclasses import dataclass
from math import radians
from typing import Self

import numpy as np
from numpy.polynomial import chebyshev, legendre
from rasterio.warp import transform as transform_coordinates
from rasterio.windows import Window

from ..errors import SceneUnreadable
from ..gdal import GdalError, gdal_errors
from ..geometry.ellipsoid import ECCENTRICITY, SEMI_MAJOR, area_to_latitude
from ..types import Float64Array
from .grid import WGS84, Grid

# Areas change so smoothly over a projected grid that a polynomial of this degree follows them to 1e-8 over a scene.
_DEGREE = 8
# Places along a row that are averaged. Three are exact for polynomials of degree five.
_PLACES, _WEIGHTS = legendre.leggauss(3)


@dataclass(frozen=True, kw_only=True)
class GroundAreas:
    """The areas of the pixels of `grid`.

    `surface` has those of a projected grid as coefficients of Chebyshev polynomials in column and row, which run from
    -1 to 1 over the grid; None for a grid in degrees, whose areas follow from its latitudes.
    """

    grid: Grid
    surface: Float64Array | None

    @classmethod
    def of(cls, grid: Grid) -> Self:
        """Raises SceneUnreadable if the grid lies where its projection shows no place on the ground."""
        return cls(grid=grid, surface=None if grid.crs.is_geographic else _surface(grid))

    def of_rows(self, window: Window) -> Float64Array:
        """Mean area of a pixel in each row of the window, in square metres: (rows,)."""
        rows = np.arange(window.height) + window.row_off + 0.5
        if self.surface is None:
            return self._between_parallels(rows, window.col_off + window.width / 2)
        columns = window.col_off + window.width * (_PLACES + 1) / 2
        across, down = 2 * columns / self.grid.width - 1, 2 * rows / self.grid.height - 1
        areas: Float64Array = _WEIGHTS @ chebyshev.chebgrid2d(across, down, self.surface) / 2
        return areas

    def _between_parallels(self, rows: Float64Array, column: float) -> Float64Array:
        """Areas of pixels in degrees. If rows do not run along parallels, those at `column` stand for the others."""
        transform = self.grid.transform
        height = float(np.hypot(transform.e, transform.d))
        width = abs(transform.determinant) / height
        latitudes = transform.d * column + transform.e * rows + transform.f
        areas: Float64Array = area_to_latitude(latitudes + height / 2) - area_to_latitude(latitudes - height / 2)
        return areas * radians(width)


def _surface(grid: Grid) -> Float64Array:
    nodes = chebyshev.chebpts1(_DEGREE + 1)
    columns, rows = np.meshgrid(grid.width * (nodes + 1) / 2, grid.height * (nodes + 1) / 2, indexing="ij")
    try:
        with gdal_errors():
            areas = _pixel_areas(grid, columns.ravel(), rows.ravel())
    except GdalError as error:
        raise SceneUnreadable("The scenes lie where their map projection shows no place on the ground.") from error
    inverse = np.linalg.inv(chebyshev.chebvander(nodes, _DEGREE))
    surface: Float64Array = inverse @ areas.reshape(columns.shape) @ inverse.T
    return surface


def _pixel_areas(grid: Grid, columns: Float64Array, rows: Float64Array) -> Float64Array:
    """Area of a pixel around each of these places (in pixel coordinates), as its diagonals in space span it."""
    corners = [_in_space(grid, columns + across, rows + down) for across, down in _CORNERS]
    areas: Float64Array = np.linalg.norm(np.cross(corners[2] - corners[0], corners[3] - corners[1]), axis=1) / 2
    return areas


_CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


def _in_space(grid: Grid, columns: Float64Array, rows: Float64Array) -> Float64Array:
    """Places on the ellipsoid in metres from the centre of the Earth: (places, 3)."""
    to = grid.transform
    xs, ys = to.a * columns + to.b * rows + to.c, to.d * columns + to.e * rows + to.f
    longitudes, latitudes = np.radians(transform_coordinates(grid.crs, WGS84, xs, ys))
    sine = np.sin(latitudes)
    to_axis = SEMI_MAJOR / np.sqrt(1 - (ECCENTRICITY * sine) ** 2)
    out = to_axis * np.cos(latitudes)
    up = (1 - ECCENTRICITY**2) * to_axis * sine
    return np.column_stack([out * np.cos(longitudes), out * np.sin(longitudes), up])
