"""How much ground a pixel covers, and the hectares of each class of a result."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster.grids.grid import Grid
from processing.raster.operations import get_operation
from processing.raster.types import Float64Array, PixelArray
from tests.raster.support.pairs import AFTER, Layer, Shot, compare, shot, square, to_dn, write_shots

SURFACE_OF_THE_EARTH = 510_065_621.7e6  # m2, WGS 84
FOOT = 1200 / 3937  # US survey foot in metres
GEODESIC = Geod(ellps="WGS84")


def everything(grid: Grid) -> Window:
    return Window(0, 0, grid.width, grid.height)


def in_degrees(west: float, north: float, wide: float, high: float, width: int, height: int) -> Grid:
    return Grid(crs=CRS.from_epsg(4326), transform=Affine(wide, 0, west, 0, -high, north), width=width, height=height)


@pytest.mark.parametrize(
    ("transform", "epsg", "square_metres"),
    [
        (Affine(10, 0, 540_000, 0, -10, 4_180_000), 32610, 100.0),
        (Affine(30, 0, 540_000, 0, -20, 4_180_000), 32610, 600.0),
        (Affine(100, 0, 1_500_000, 0, -50, 600_000), 2264, 5000 * FOOT**2),
        (Affine(10, 0, 540_000, 0, 10, 4_180_000), 32610, 100.0),
        (Affine.translation(540_000, 4_180_000) @ Affine.rotation(15) @ Affine.scale(10, -20), 32610, 200.0),
    ],
)
def test_projected_pixels_are_all_alike(transform: Affine, epsg: int, square_metres: float) -> None:
    grid = Grid(crs=CRS.from_epsg(epsg), transform=transform, width=7, height=5)
    np.testing.assert_allclose(grid.pixel_areas(everything(grid)), np.full(5, square_metres), rtol=1e-9)
    assert grid.pixel_areas(Window(2, 3, 4, 2)).shape == (2,)


@pytest.mark.parametrize("degrees", [1.0, 0.5, 10.0])
def test_all_pixels_of_the_globe_are_its_surface(degrees: float) -> None:
    globe = in_degrees(-180, 90, degrees, degrees, int(360 / degrees), int(180 / degrees))
    areas = globe.pixel_areas(everything(globe))
    assert areas.sum() * globe.width == pytest.approx(SURFACE_OF_THE_EARTH, rel=1e-6)
    np.testing.assert_allclose(areas, areas[::-1], rtol=1e-9)


@pytest.mark.parametrize("north", [0.005, 37.0, -37.0, 64.2, 89.99])
def test_pixels_in_degrees_are_measured_along_the_ellipsoid(north: float) -> None:
    grid = in_degrees(10.0, north, 0.002, 0.001, 3, 4)
    for row, area in enumerate(grid.pixel_areas(everything(grid))):
        top, bottom = north - 0.001 * row, north - 0.001 * (row + 1)
        # Parallels are no geodesics: many points along them.
        across = np.linspace(10.0, 10.002, 50)
        ring = [(lon, top) for lon in across] + [(lon, bottom) for lon in across[::-1]]
        expected, _ = GEODESIC.polygon_area_perimeter([lon for lon, _ in ring], [lat for _, lat in ring])
        assert area == pytest.approx(abs(expected), rel=1e-6)


def test_areas_of_a_window_are_those_of_its_rows() -> None:
    grid = in_degrees(-5, 50, 0.01, 0.01, 400, 300)
    whole = grid.pixel_areas(everything(grid))
    np.testing.assert_allclose(grid.pixel_areas(Window(100, 120, 64, 80)), whole[120:200], rtol=1e-12)


def lost_forest(grid: Grid, lost: int) -> tuple[Shot, Shot]:
    """Forest everywhere, then bare soil in the last `lost` rows."""
    rows = np.arange(grid.height)[:, None] * np.ones((1, grid.width)) >= grid.height - lost
    before = {"red": np.full(grid.shape, 0.025), "nir": np.full(grid.shape, 0.32)}
    after = {"red": np.where(rows, 0.18, 0.025), "nir": np.where(rows, 0.26, 0.32)}
    first, second = (
        Shot(layers={name: Layer(dn=to_dn(values), grid=grid) for name, values in date.items()})
        for date in (before, after)
    )
    return first, second.named(AFTER)


def hectares(directory: Path, grid: Grid, lost: int) -> list[float]:
    result = compare(write_shots(directory / "scenes", *lost_forest(grid, lost)), directory / "out")
    assert result.pixels_by_class == [grid.width * (grid.height - lost), 0, grid.width * lost, 0, 0]
    return [row["hectares"] for row in result.statistics["classes"]]


def test_hectares_of_a_result_in_metres(tmp_path: Path) -> None:
    assert hectares(tmp_path, square(50, 40), 10) == pytest.approx([15.0, 0, 5.0, 0, 0])


def test_hectares_of_a_result_in_feet(tmp_path: Path) -> None:
    grid = Grid(crs=CRS.from_epsg(2264), transform=Affine(100, 0, 1.5e6, 0, -50, 6e5), width=50, height=40)
    pixel = 5000 * FOOT**2 / 10_000
    assert hectares(tmp_path, grid, 10) == pytest.approx([1500 * pixel, 0, 500 * pixel, 0, 0])


def test_hectares_of_a_result_in_degrees(tmp_path: Path) -> None:
    grid = in_degrees(10, 60, 0.01, 0.01, 30, 1500)
    got = hectares(tmp_path, grid, 500)
    for top, bottom, found in ((60, 50, got[0]), (50, 45, got[2])):
        across = np.linspace(10.0, 10.3, 2000)
        ring = [(lon, top) for lon in across] + [(lon, bottom) for lon in across[::-1]]
        area, _ = GEODESIC.polygon_area_perimeter([lon for lon, _ in ring], [lat for _, lat in ring])
        assert found == pytest.approx(abs(area) / 10_000, rel=1e-6)


def counted(values: PixelArray, areas: Float64Array) -> list[float]:
    """Hectares of each class in one window."""
    operation = get_operation("change_detection")
    tally = operation.tally(operation.params_model())
    tally.add(values, areas)
    return [row["hectares"] for row in tally.statistics()["classes"]]


@pytest.mark.parametrize("areas", [[1, 2, 3, 2, 1], [5, 5, 1, 5, 5], [4, 4, 4, 4, 4], [1, 1, 1, 1, 2]])
def test_each_row_is_counted_by_its_own_area(areas: list[int]) -> None:
    """Also if the first and the last row are alike and others differ."""
    values = np.array([[0, 2, 255], [2, 2, 255], [1, 2, 1], [255, 255, 255], [0, 0, 2]], np.uint8)
    square_metres = np.array(areas, np.float64) * 10_000
    expected = [sum((row == code).sum() * area for row, area in zip(values, areas, strict=True)) for code in range(3)]
    assert counted(values, square_metres) == pytest.approx([*expected, 0, 0])


def test_equator_in_the_middle_of_a_window() -> None:
    grid = in_degrees(10.0, 32.0, 1.0, 1.0, 3, 64)
    areas = grid.pixel_areas(everything(grid))
    assert areas[0] == pytest.approx(areas[-1], rel=1e-12)
    assert areas[32] > 1.1 * areas[0]
    values = np.zeros(grid.shape, np.uint8)
    values[30:34, 1] = 4
    found = counted(values, areas)
    assert found[4] * 10_000 == pytest.approx(areas[30:34].sum())
    assert sum(found) * 10_000 == pytest.approx(3 * areas.sum())


def test_hectares_of_a_result_across_the_equator(tmp_path: Path) -> None:
    grid = in_degrees(10, 4, 0.25, 0.25, 4, 32)
    forest, bare = {"red": 0.025, "nir": 0.32}, {"red": 0.18, "nir": 0.26}
    lost = np.zeros(grid.shape, np.bool_)
    lost[14:18] = True
    first = {name: np.full(grid.shape, value) for name, value in forest.items()}
    second = {name: np.where(lost, bare[name], value) for name, value in forest.items()}
    result = compare(write_shots(tmp_path / "scenes", shot(first, grid), shot(second, grid).named(AFTER)), tmp_path)
    areas = grid.pixel_areas(everything(grid))
    got = [row["hectares"] * 10_000 for row in result.statistics["classes"]]
    assert got == pytest.approx([4 * (areas.sum() - areas[14:18].sum()), 0, 4 * areas[14:18].sum(), 0, 0])
    assert result.product.shape == grid.shape
