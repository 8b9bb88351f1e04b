"""Where a result lies on the Earth, as GeoJSON: corners, the antimeridian, a pole."""

from typing import Any

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS

from processing.raster.grids import footprint
from processing.raster.grids.grid import Grid
from tests.raster.support.pairs import square

TILE = square(10_980, 10_980, west=399_960.0, north=4_200_000.0)
ACROSS = square(300, 200, 30, epsg=32701, west=162_000, north=9_945_000)
POLE = Grid(crs=CRS.from_epsg(3995), transform=Affine(100, 0, -50_000, 0, -100, 60_000), width=1000, height=1000)


def degrees(grid: Grid, columns: Any, rows: Any) -> tuple[Any, Any]:
    across, down = np.asarray(columns, float), np.asarray(rows, float)
    xs = grid.transform.a * across + grid.transform.b * down + grid.transform.c
    ys = grid.transform.d * across + grid.transform.e * down + grid.transform.f
    lons, lats = Transformer.from_crs(grid.crs.to_wkt(), "EPSG:4326", always_xy=True).transform(xs, ys)
    return lons, lats


@pytest.mark.parametrize("grid", [TILE, ACROSS, POLE, square(1, 1)], ids=["tile", "antimeridian", "pole", "pixel"])
def test_footprint_holds_the_grid_and_nothing_else(grid: Grid) -> None:
    shape = shapely.geometry.shape(footprint.geojson(grid))
    assert shape.is_valid
    columns, rows = np.random.default_rng(1).uniform(-0.5, 1.5, (2, 4000))
    columns, rows = columns * grid.width, rows * grid.height
    edge = np.minimum.reduce([abs(columns), abs(grid.width - columns), abs(rows), abs(grid.height - rows)])
    unsure = edge < max(0.15, 2e-4 * grid.width)  # straight between 21 points on each side
    inside = (columns > 0) & (columns < grid.width) & (rows > 0) & (rows < grid.height)
    found = shapely.contains_xy(shape, *degrees(grid, columns, rows))
    np.testing.assert_array_equal(found[~unsure], inside[~unsure])


def test_footprint_across_the_antimeridian_is_cut_there() -> None:
    found = footprint.geojson(ACROSS)
    assert found["type"] == "MultiPolygon"
    west, south, east, north = footprint.bbox(ACROSS)
    assert 179 < west < 180
    assert -180 < east < -179
    assert south < north
    longitudes = [lon for polygon in found["coordinates"] for ring in polygon for lon, _ in ring]
    assert max(longitudes) == 180
    assert min(longitudes) == -180


def test_bbox_holds_all_corners() -> None:
    west, south, east, north = footprint.bbox(TILE)
    lons, lats = degrees(TILE, [0, TILE.width, TILE.width, 0], [0, 0, TILE.height, TILE.height])
    assert west <= min(lons)
    assert max(lons) <= east
    assert south <= min(lats)
    assert max(lats) <= north


def test_bbox_around_a_pole_goes_around_the_earth() -> None:
    west, south, east, north = footprint.bbox(POLE)
    assert (west, east, north) == (-180, 180, 90)
    assert 89 < south < 90


def test_outer_ring_runs_counterclockwise() -> None:
    shape = shapely.geometry.shape(footprint.geojson(TILE))
    assert shape.exterior.is_ccw
