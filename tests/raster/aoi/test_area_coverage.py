"""An area of interest that leaves the scene: how much of it the result shows, in the statistics and in a warning."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from pydantic import ValidationError
from pyproj import Geod, Transformer
from rasterio.crs import CRS

from processing.raster.grids.grid import Grid
from processing.raster.operations.ndvi import NdviParams
from tests.raster.support.pairs import AFTER, Result, compare, lonlat, ndvi, shot, square, write_shots

GEODESIC = Geod(ellps="WGS84")
ACROSS = Grid(crs=CRS.from_epsg(4326), transform=Affine(0.001, 0, 179.9, 0, -0.001, 0.1), width=200, height=100)


def flat(grid: Grid, red: float = 0.05, nir: float = 0.3) -> dict[str, np.ndarray]:
    return {"red": np.full(grid.shape, red), "nir": np.full(grid.shape, nir)}


def ndvi_of(grid: Grid, directory: Path, aoi: object) -> Result:
    config = write_shots(directory / "scenes", shot(flat(grid), grid))
    return ndvi(config, directory / "out", aoi=aoi)


def box_in(grid: Grid, left: float, top: float, right: float, bottom: float) -> list[float]:
    """A box in degrees whose corners are these shares of the grid's width and height."""
    longitudes, latitudes = lonlat(grid)
    west, east = longitudes.min(), longitudes.max()
    south, north = latitudes.min(), latitudes.max()
    wide, high = east - west, north - south
    return [
        float(west + left * wide),
        float(north - bottom * high),
        float(west + right * wide),
        float(north - top * high),
    ]


def covered_percent(grid: Grid, area: list[float]) -> float:
    """By geodesic areas of the grid's four corners and the box, each with many points along its edges."""
    corners = [
        grid.transform @ corner for corner in ((0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height))
    ]
    edges = shapely.segmentize(shapely.Polygon(corners), 50)
    xs, ys = shapely.get_coordinates(edges).T
    lons, lats = _to_degrees(grid, xs, ys)
    scene, box = shapely.Polygon(zip(lons, lats, strict=True)), shapely.segmentize(shapely.box(*area), 1e-3)
    areas = [abs(GEODESIC.geometry_area_perimeter(part)[0]) for part in (scene.intersection(box), box)]
    return 100 * areas[0] / areas[1]


def _to_degrees(grid: Grid, xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lons, lats = Transformer.from_crs(grid.crs.to_wkt(), "EPSG:4326", always_xy=True).transform(xs, ys)
    return lons, lats


@pytest.mark.parametrize("shares", [(0.5, 0.2, 1.5, 0.8), (-2, -2, 3, 3), (0.2, -0.3, 0.6, 0.3), (0.99, 0.2, 3, 0.8)])
def test_area_that_leaves_the_scene_says_how_much_of_it_is_shown(
    tmp_path: Path, shares: tuple[float, float, float, float]
) -> None:
    grid = square(300, 200)
    area = box_in(grid, *shares)
    result = ndvi_of(grid, tmp_path, area)
    expected = covered_percent(grid, area)
    assert result.statistics["aoi_covered_percent"] == pytest.approx(expected, abs=0.01)
    (warning,) = [warning for warning in result.product.warnings if "leaves the scenes" in warning]
    assert f"cover {expected:.2g} %" in warning


@pytest.mark.parametrize("shares", [(0.1, 0.1, 0.9, 0.9), (0.05, 0.4, 0.2, 0.6)])
def test_area_in_the_scene_is_covered_and_not_warned_of(
    tmp_path: Path, shares: tuple[float, float, float, float]
) -> None:
    grid = square(300, 200)
    result = ndvi_of(grid, tmp_path, box_in(grid, *shares))
    assert result.statistics["aoi_covered_percent"] == 100
    assert not any("leaves" in warning for warning in result.product.warnings)


def test_without_an_area_no_coverage_is_named(tmp_path: Path) -> None:
    result = ndvi_of(square(30, 20), tmp_path, None)
    assert "aoi_covered_percent" not in result.statistics


@pytest.mark.parametrize(
    ("area", "percent"),
    [([179.95, 0.02, -179.95, 0.08], 100), ([179.8, 0.0, -179.8, 0.1], 50), ([179.95, 0.05, -179.95, 0.15], 50)],
)
def test_coverage_of_an_area_over_the_antimeridian(tmp_path: Path, area: list[float], percent: float) -> None:
    result = ndvi_of(ACROSS, tmp_path, area)
    assert result.statistics["aoi_covered_percent"] == pytest.approx(percent, abs=0.01)


def test_area_over_the_overlap_of_two_scenes_counts_what_both_show(tmp_path: Path) -> None:
    first, second = square(200, 200), square(200, 200, west=541_000.0)
    shots = shot(flat(first), first), shot(flat(second, 0.1, 0.2), second, name=AFTER)
    config = write_shots(tmp_path / "scenes", *shots)
    area = box_in(first, 0.3, 0.3, 0.7, 0.7)
    result = compare(config, tmp_path / "out", aoi=area, cloud_mask=False)
    overlap = square(100, 200, west=541_000.0)
    assert result.statistics["aoi_covered_percent"] == pytest.approx(covered_percent(overlap, area), abs=0.01)


def test_box_around_most_of_the_earth_is_refused_with_its_width() -> None:
    with pytest.raises(ValidationError, match=r"340 degrees wide.*Swap west and east"):
        NdviParams(aoi=[20, 40, 0, 50])
