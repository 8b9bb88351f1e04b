"""Areas of interest, and what a result for one must be: the whole result cut to it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio.warp
import shapely
from rasterio.crs import CRS

from processing.raster.grids.grid import Grid
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    Layer,
    Result,
    Truth,
    lonlat,
    to_dn,
)

WGS84 = CRS.from_epsg(4326)
Area = list[float] | dict[str, Any]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*polygons: Any) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def degrees(grid: Grid, corners: list[tuple[float, float]]) -> list[list[float]]:
    """A closed ring in longitude and latitude through places in pixel coordinates."""
    xs, ys = zip(*[grid.transform @ corner for corner in [*corners, corners[0]]], strict=True)
    lons, lats = rasterio.warp.transform(grid.crs, WGS84, xs, ys)
    return [[lon, lat] for lon, lat in zip(lons[:-1], lats[:-1], strict=True)] + [[lons[0], lats[0]]]


def box_around(grid: Grid, left: float, top: float, right: float, bottom: float) -> list[float]:
    lon, lat = zip(*degrees(grid, [(left, top), (right, top), (right, bottom), (left, bottom)]), strict=True)
    return [min(lon), min(lat), max(lon), max(lat)]


def shape_of(area: Area) -> shapely.MultiPolygon | shapely.Polygon:
    """The area in degrees, with straight edges there."""
    return shapely.box(*area) if isinstance(area, list) else shapely.geometry.shape(area)


def place(part: Grid, grid: Grid) -> tuple[slice, slice]:
    """Rows and columns of `grid` that `part` covers."""
    column, row = ~grid.transform @ (part.transform.c, part.transform.f)
    assert abs(column - round(column)) < 1e-6
    assert abs(row - round(row)) < 1e-6
    assert part.crs == grid.crs
    return slice(round(row), round(row) + part.height), slice(round(column), round(column) + part.width)


def centres_inside(part: Grid, area: Area) -> tuple[Truth, Truth]:
    """Which pixels have their centre in the area, and for which of them five centimetres leave no doubt."""
    lon, lat = lonlat(part)
    outline = shape_of(area)
    shapely.prepare(outline)
    edge = outline.boundary
    shapely.prepare(edge)
    points = shapely.points(lon, lat)
    return shapely.contains_xy(outline, lon, lat), ~shapely.dwithin(points, edge, 5e-7)


def assert_bounding_window(part: Grid, grid: Grid, area: Area) -> None:
    """`part` is the least window of `grid` that holds all of the area that lies in it."""

    def project(positions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        xs, ys = np.array(rasterio.warp.transform(WGS84, grid.crs, *positions.T))
        return np.column_stack(~grid.transform @ (xs, ys))

    in_pixels = shapely.transform(shapely.segmentize(shape_of(area), 1e-4), project)
    left, top, right, bottom = in_pixels.intersection(shapely.box(0, 0, grid.width, grid.height)).bounds
    expected = (
        slice(int(np.floor(top + 0.002)), int(np.ceil(bottom - 0.002))),
        slice(int(np.floor(left + 0.002)), int(np.ceil(right - 0.002))),
    )
    assert place(part, grid) == expected


def assert_is_cut_from(result: Result, full: Result, area: Area) -> tuple[int, int]:
    """Pixel for pixel. Returns the number of pixels inside, and how far it may be off."""
    inside, sure = centres_inside(result.grid, area)
    unsure = int(np.count_nonzero(~sure))
    assert unsure <= 2 + 0.03 * sum(sure.shape)
    cut = full.pixels[place(result.grid, full.grid)]
    nodata = np.nan if cut.dtype == np.float32 else 255
    expected = np.where(inside, cut, nodata).astype(cut.dtype)
    np.testing.assert_array_equal(result.pixels[sure], expected[sure])
    return int(np.count_nonzero(inside)), unsure


def star(grid: Grid, column: float, row: float, radius: float) -> list[list[float]]:
    points = [(k, radius * (1 if k % 2 else 0.45)) for k in range(14)]
    return degrees(
        grid, [(column + r * np.cos(2 * np.pi * k / 14), row + r * np.sin(2 * np.pi * k / 14)) for k, r in points]
    )


def areas(grid: Grid) -> dict[str, Area]:
    """Across the seams of windows (1024) and of blocks (512), at the edges, and inside of one block."""
    frame = degrees(grid, [(400.3, 900.2), (760.9, 931.7), (731.1, 1240.6), (417.8, 1201.3)])
    window = degrees(grid, [(500.7, 1001.4), (640.2, 1009.9), (598.6, 1100.8), (511.3, 1090.1)])[::-1]
    return {
        "inside of a block": box_around(grid, 30, 40, 150, 190),
        "a farm": box_around(grid, 1337.3, 611.8, 1351.9, 630.2),
        "across the seams": box_around(grid, 950, 980, 1100, 1090),
        "across the corner of blocks": polygon(
            degrees(grid, [(480.6, 470.3), (560.1, 501.7), (530.4, 559.2), (470.9, 540.8)])
        ),
        "along a whole row of windows": box_around(grid, 5, 1010, 2040, 1040),
        "over the edge of the scene": box_around(grid, 1900, -50, 2200, 100),
        "over the lower edge": polygon(degrees(grid, [(1000.3, 1950.6), (1101.9, 2200.2), (899.4, 2203.1)])),
        "star": polygon(star(grid, 1024.5, 1024.5, 190)),
        "with a hole": polygon(frame, window),
        "two stars": multi([star(grid, 600, 500, 60)], [star(grid, 900, 620, 90)]),
    }


PAIR: list[tuple[str, Mapping[str, float]]] = [
    (BEFORE, {"red": 0.025, "nir": 0.32}),
    (AFTER, {"red": 0.18, "nir": 0.26}),
]


def flat(grid: Grid, values: Mapping[str, float]) -> dict[str, Layer]:
    """Layers of one reflectance each."""
    return {band: Layer(dn=to_dn(np.full(grid.shape, value)), grid=grid) for band, value in values.items()}
