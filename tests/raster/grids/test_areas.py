"""How much ground a pixel covers, and the hectares of each class of a result."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster.errors import SceneUnreadable
from processing.raster.grids.grid import Grid
from processing.raster.grids.ground_areas import GroundAreas
from processing.raster.operations import get_operation
from processing.raster.types import Float64Array, PixelArray
from tests.raster.support.pairs import AFTER, Layer, Shot, compare, shot, square, to_dn, write_shots

SURFACE_OF_THE_EARTH = 510_065_621.7e6  # m2, WGS 84
GEODESIC = Geod(ellps="WGS84")


def everything(grid: Grid) -> Window:
    return Window(0, 0, grid.width, grid.height)


def in_degrees(west: float, north: float, wide: float, high: float, width: int, height: int) -> Grid:
    return Grid(crs=CRS.from_epsg(4326), transform=Affine(wide, 0, west, 0, -high, north), width=width, height=height)


def areas_of(grid: Grid, window: Window) -> Float64Array:
    return GroundAreas.of(grid).of_rows(window)


def geodesic_area(grid: Grid, window: Window) -> float:
    """Square metres of the window on the ellipsoid, by another program: along 200 points of each edge."""
    steps = np.linspace(0, 1, 200)[:-1]
    across = np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    down = np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    xs, ys = grid.transform @ (window.col_off + window.width * across, window.row_off + window.height * down)
    to_degrees = Transformer.from_crs(grid.crs.to_wkt(), "EPSG:4326", always_xy=True)
    area, _ = GEODESIC.polygon_area_perimeter(*to_degrees.transform(xs, ys))
    return abs(float(area))


SIDE = 10980
PROJECTED = {
    "UTM at the equator": (32632, Affine(10, 0, 499_980, 0, -10, 100_020), SIDE),
    "UTM, western edge of a zone": (32632, Affine(10, 0, 199_980, 0, -10, 4_900_020), SIDE),
    "UTM, eastern edge of a zone": (32732, Affine(10, 0, 780_000, 0, -10, 6_000_000), SIDE),
    "UTM, 72 degrees north": (32632, Affine(10, 0, 600_000, 0, -10, 8_000_040), SIDE),
    "UTM, 80 degrees north, Landsat": (32632, Affine(30, 0, 390_000, 0, -30, 9_000_000), 7800),
    "UTM from south to north": (32632, Affine(10, 0, 300_000, 0, 10, 5_500_000), SIDE),
    "UTM, turned": (32632, Affine.translation(3e5, 5e6) @ Affine.rotation(15) @ Affine.scale(10, -20), 4000),
    "equal area": (3035, Affine(10, 0, 4e6, 0, -10, 3e6), SIDE),
    "around the pole": (3995, Affine(30, 0, -150_000, 0, -30, 150_000), 10_000),
    "Mercator": (3857, Affine(10, 0, 1e6, 0, -10, 8e6), SIDE),
    "feet": (2264, Affine(30, 0, 1.5e6, 0, -30, 6e5), 8000),
}


@pytest.mark.parametrize("name", PROJECTED)
def test_projected_pixels_are_measured_on_the_ellipsoid(name: str) -> None:
    epsg, transform, side = PROJECTED[name]
    grid = Grid(crs=CRS.from_epsg(epsg), transform=transform, width=side, height=side)
    areas = GroundAreas.of(grid)
    for column in (0, side // 2, side - 1024):
        for row in (0, side - 512):
            window = Window(column, row, 1024, 512)
            assert areas.of_rows(window).sum() * 1024 == pytest.approx(geodesic_area(grid, window), rel=1e-7)


def test_projected_rows_have_areas_of_their_own() -> None:
    grid = Grid(crs=CRS.from_epsg(3857), transform=Affine(100, 0, 1e6, 0, -100, 8e6), width=500, height=2000)
    areas = areas_of(grid, Window(100, 300, 200, 600))
    for row in (0, 299, 599):
        strip = Window(100, 300 + row, 200, 1)
        assert areas[row] * 200 == pytest.approx(geodesic_area(grid, strip), rel=1e-6)


def test_single_pixel_has_an_area() -> None:
    grid = Grid(crs=CRS.from_epsg(32610), transform=Affine(10, 0, 540_000, 0, -10, 4_180_000), width=1, height=1)
    (area,) = areas_of(grid, everything(grid))
    assert area == pytest.approx(geodesic_area(grid, everything(grid)), rel=1e-6)


def test_grid_that_is_nowhere_on_the_ground_is_refused() -> None:
    far = Grid(crs=CRS.from_epsg(3035), transform=Affine(10, 0, 1e12, 0, -10, 1e12), width=100, height=100)
    with pytest.raises(SceneUnreadable, match="no place on the ground"):
        GroundAreas.of(far)


@pytest.mark.parametrize("degrees", [1.0, 0.5, 10.0])
def test_all_pixels_of_the_globe_are_its_surface(degrees: float) -> None:
    globe = in_degrees(-180, 90, degrees, degrees, int(360 / degrees), int(180 / degrees))
    areas = areas_of(globe, everything(globe))
    assert areas.sum() * globe.width == pytest.approx(SURFACE_OF_THE_EARTH, rel=1e-6)
    np.testing.assert_allclose(areas, areas[::-1], rtol=1e-9)


@pytest.mark.parametrize("north", [0.005, 37.0, -37.0, 64.2, 89.99])
def test_pixels_in_degrees_are_measured_along_the_ellipsoid(north: float) -> None:
    grid = in_degrees(10.0, north, 0.002, 0.001, 3, 4)
    for row, area in enumerate(areas_of(grid, everything(grid))):
        top, bottom = north - 0.001 * row, north - 0.001 * (row + 1)
        # Parallels are no geodesics: many points along them.
        across = np.linspace(10.0, 10.002, 50)
        ring = [(lon, top) for lon in across] + [(lon, bottom) for lon in across[::-1]]
        expected, _ = GEODESIC.polygon_area_perimeter([lon for lon, _ in ring], [lat for _, lat in ring])
        assert area == pytest.approx(abs(expected), rel=1e-6)


def test_areas_of_a_window_are_those_of_its_rows() -> None:
    grid = in_degrees(-5, 50, 0.01, 0.01, 400, 300)
    whole = areas_of(grid, everything(grid))
    np.testing.assert_allclose(areas_of(grid, Window(100, 120, 64, 80)), whole[120:200], rtol=1e-12)


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


@pytest.mark.parametrize(
    "grid",
    [
        square(50, 40),
        square(50, 40, west=205_000.0),
        Grid(crs=CRS.from_epsg(2264), transform=Affine(100, 0, 1.5e6, 0, -50, 6e5), width=50, height=40),
    ],
    ids=["UTM, inside", "UTM, at the edge", "feet"],
)
def test_hectares_of_a_result_are_of_the_ground(tmp_path: Path, grid: Grid) -> None:
    kept, lost = (geodesic_area(grid, Window(0, row, 50, rows)) / 10_000 for row, rows in ((0, 30), (30, 10)))
    assert hectares(tmp_path, grid, 10) == pytest.approx([kept, 0, lost, 0, 0], rel=1e-6)


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
    areas = areas_of(grid, everything(grid))
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
    areas = areas_of(grid, everything(grid))
    got = [row["hectares"] * 10_000 for row in result.statistics["classes"]]
    assert got == pytest.approx([4 * (areas.sum() - areas[14:18].sum()), 0, 4 * areas[14:18].sum(), 0, 0])
    assert result.product.shape == grid.shape
