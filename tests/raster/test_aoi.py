"""The area of interest: what is one, and that a result for it is the whole result cut to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio.warp
import shapely
import tifffile
from affine import Affine
from pydantic import ValidationError
from rasterio.crs import CRS

from processing.raster import pipeline
from processing.raster.cog import is_cog
from processing.raster.cog.levels import BLOCK
from processing.raster.errors import AoiOutsideScene, NoValidPixels
from processing.raster.grids.grid import Grid
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.operations.ndvi import NdviParams
from processing.raster.types import Config
from tests.raster.support.configs import config_for
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    WEST,
    Layer,
    Result,
    Shot,
    Truth,
    compare,
    lonlat,
    ndvi,
    serve_shots,
    square,
    to_numbers,
    write_shots,
)
from tests.servers import RangeServer, StacServer

WGS84 = CRS.from_epsg(4326)
HEADERS = 32 << 10  # bytes that reading a file's directories may take
Area = list[float] | dict[str, Any]


# What is an area.

RING = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]
HOLE = [[10.2, 50.2], [10.2, 50.4], [10.4, 50.4], [10.4, 50.2], [10.2, 50.2]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def multi(*polygons: Any) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def moved(ring: list[list[float]], east: float) -> list[list[float]]:
    return [[lon + east, lat] for lon, lat in ring]


def circle(vertices: int) -> list[list[float]]:
    """A ring of so many positions, of which the last is the first."""
    angles = 2 * np.pi * np.arange(vertices - 1) / (vertices - 1)
    ring = [[10 + float(np.cos(angle)), 50 + float(np.sin(angle))] for angle in angles]
    return [*ring, ring[0]]


AREAS: dict[str, Any] = {
    "box": [10, 50, 11, 51],
    "box of fractions": [-122.31, 37.58, -122.3, 37.59],
    "box of the Earth": [-180, -90, 180, 90],
    "box over the antimeridian": [179.5, -1, -179.5, 1],
    "box up to it": [179.5, -1, 180, 1],
    "polygon": polygon(RING),
    "polygon the other way round": polygon(RING[::-1]),
    "polygon with a hole": polygon(RING, HOLE),
    "polygon with heights": polygon([[*position, 300.5] for position in RING]),
    "polygon with a bbox": {**polygon(RING), "bbox": [10, 50, 11, 51]},
    "two polygons": multi([RING], [moved(RING, 2), moved(HOLE, 2)]),
    "1,000 vertices": polygon(circle(1000)),
    "1,000 vertices in two": multi([circle(400)], [moved(circle(600), 20)]),
}

NO_AREAS: dict[str, Any] = {
    "nothing": {},
    "a name": "Paris",
    "a number": 4,
    "true": True,
    "three numbers": [10, 50, 11],
    "six numbers": [10, 50, 0, 11, 51, 100],
    "no numbers": [],
    "numbers in words": ["10", "50", "11", "51"],
    "true among numbers": [True, 50, 11, 51],
    "null among numbers": [None, 50, 11, 51],
    "NaN": [float("nan"), 50, 11, 51],
    "infinity": [10, 50, float("inf"), 51],
    "a huge number": [10, 50, 10**400, 51],
    "a huge number in a polygon": polygon([*RING[:2], [10**400, 51], *RING[3:]]),
    "south above north": [10, 51, 11, 50],
    "no height": [10, 50, 11, 50],
    "no width": [10, 50, 10, 51],
    "no width at the antimeridian": [180, 50, -180, 51],
    "beyond 180": [10, 50, 180.1, 51],
    "beyond -180": [-180.1, 50, 11, 51],
    "beyond the pole": [10, 50, 11, 90.1],
    "latitude before longitude": [50, 100, 51, 101],
    "feature": {"type": "Feature", "geometry": polygon(RING), "properties": {}},
    "collection": {"type": "FeatureCollection", "features": []},
    "geometry collection": {"type": "GeometryCollection", "geometries": [polygon(RING)]},
    "point": {"type": "Point", "coordinates": [10, 50]},
    "line": {"type": "LineString", "coordinates": RING},
    "no type": {"coordinates": [RING]},
    "type in lower case": {"type": "polygon", "coordinates": [RING]},
    "type as a list": {"type": ["Polygon"], "coordinates": [RING]},
    "another CRS": {**polygon(RING), "crs": {"type": "name"}},
    "no coordinates": {"type": "Polygon"},
    "null coordinates": {"type": "Polygon", "coordinates": None},
    "coordinates as a number": {"type": "Polygon", "coordinates": 5},
    "no ring": polygon(),
    "empty ring": polygon([]),
    "no polygons": multi(),
    "empty polygon": multi([]),
    "polygon in place of polygons": {"type": "MultiPolygon", "coordinates": [RING]},
    "polygons in place of a polygon": {"type": "Polygon", "coordinates": [[RING]]},
    "three positions": polygon([[10, 50], [11, 50], [10, 50]]),
    "open ring": polygon(RING[:-1]),
    "ring of one point": polygon([[10, 50]] * 4),
    "ring without extent": polygon([[10, 50], [11, 51], [12, 52], [10, 50]]),
    "crossing itself": polygon([[10, 50], [11, 51], [11, 50], [10, 51], [10, 50]]),
    "hole outside": polygon(RING, moved(HOLE, 5)),
    "hole over the edge": polygon(RING, moved(HOLE, -0.3)),
    "polygons over each other": multi([RING], [moved(RING, 0.5)]),
    "one number in a position": polygon([[10], *RING[1:]]),
    "four numbers in a position": polygon([[10, 50, 0, 0], *RING[1:-1], [10, 50, 0, 0]]),
    "words in a position": polygon([["10", "50"], *RING[1:-1], ["10", "50"]]),
    "true in a position": polygon([[True, 50], *RING[1:-1], [True, 50]]),
    "NaN in a position": polygon([*RING[:2], [float("nan"), 51], *RING[3:]]),
    "position beyond 180": polygon(moved(RING, 170)),
    "position as an object": polygon([{"lon": 10, "lat": 50}] * 4),
    "1,001 vertices": polygon(circle(1001)),
    "1,001 vertices in two": multi([circle(400)], [moved(circle(601), 20)]),
}


@pytest.mark.parametrize("model", [ChangeDetectionParams, NdviParams])
@pytest.mark.parametrize("name", AREAS)
def test_an_area_is_kept_as_it_was_given(name: str, model: type[ChangeDetectionParams] | type[NdviParams]) -> None:
    assert model(aoi=AREAS[name]).aoi == AREAS[name]


@pytest.mark.parametrize("model", [ChangeDetectionParams, NdviParams])
@pytest.mark.parametrize("name", NO_AREAS)
def test_no_area(name: str, model: type[ChangeDetectionParams] | type[NdviParams]) -> None:
    with pytest.raises(ValidationError) as error:
        model(aoi=NO_AREAS[name])
    (fault,) = error.value.errors()
    assert fault["loc"] == ("aoi",)
    assert len(fault["msg"]) > 20


def test_no_area_is_everything() -> None:
    assert NdviParams().aoi is None
    assert NdviParams(aoi=None).aoi is None


def test_schema_says_what_an_area_is() -> None:
    schema = NdviParams.model_json_schema()["properties"]["aoi"]
    assert "1000" in schema["description"]
    kinds = [each.get("properties", {}).get("type", {}).get("const", each["type"]) for each in schema["anyOf"]]
    assert kinds == ["array", "Polygon", "MultiPolygon", "null"]


# The result for an area is the whole result cut to it.


@dataclass(frozen=True)
class Whole:
    """The sandbox's scenes, and the results for all of them."""

    config: Config
    change: Result
    ndvi: Result

    @property
    def grid(self) -> Grid:
        return self.change.grid


SWIR = ["red", "nir", "swir16"]


@pytest.fixture(scope="module")
def whole(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    config, out = config_for(sandbox=sandbox), tmp_path_factory.mktemp("whole")
    change = compare(config, out / "change", bands=SWIR)
    assert min(change.grid.shape) > pipeline.WINDOW > BLOCK
    return Whole(config, change, ndvi(config, out / "ndvi", cloud_mask=True))


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


def assert_is_cut_from(result: Result, full: Result, area: Area) -> tuple[float, float]:
    """Pixel for pixel; gives the number of pixels inside, and how far it may be off."""
    inside, sure = centres_inside(result.grid, area)
    unsure = np.count_nonzero(~sure)
    assert unsure <= 2 + 0.03 * sum(sure.shape)
    cut = full.numbers[place(result.grid, full.grid)]
    nodata = np.nan if cut.dtype == np.float32 else 255
    expected = np.where(inside, cut, nodata).astype(cut.dtype)
    np.testing.assert_array_equal(result.numbers[sure], expected[sure])
    return np.count_nonzero(inside), unsure


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


NAMES = list(areas(square(10, 10)))


@pytest.mark.parametrize("name", NAMES)
def test_change_in_an_area_is_the_whole_change_cut_to_it(tmp_path: Path, whole: Whole, name: str) -> None:
    area = areas(whole.grid)[name]
    result = compare(whole.config, tmp_path, bands=SWIR, aoi=area)
    assert_bounding_window(result.grid, whole.grid, area)
    inside, unsure = assert_is_cut_from(result, whole.change, area)
    counts = [int((result.numbers == code).sum()) for code in range(5)]
    assert result.pixels_by_class == counts
    assert [row["hectares"] for row in result.statistics["classes"]] == pytest.approx([n / 100 for n in counts])
    assert result.statistics["valid_percent"] == pytest.approx(100 * sum(counts) / inside, rel=1e-9 + unsure / inside)
    assert result.product.shape == result.numbers.shape
    assert is_cog(result.product.path)


@pytest.mark.parametrize("name", NAMES)
def test_ndvi_in_an_area_is_the_whole_ndvi_cut_to_it(tmp_path: Path, whole: Whole, name: str) -> None:
    area = areas(whole.grid)[name]
    result = ndvi(whole.config, tmp_path, cloud_mask=True, aoi=area)
    assert_bounding_window(result.grid, whole.grid, area)
    inside, unsure = assert_is_cut_from(result, whole.ndvi, area)
    values = result.numbers[~np.isnan(result.numbers)].astype(np.float64)
    statistics = result.statistics
    assert statistics["mean"] == pytest.approx(values.mean(), abs=1e-6)
    assert (statistics["minimum"], statistics["maximum"]) == (values.min(), values.max())
    assert sum(statistics["histogram"]["buckets"]) == values.size
    assert statistics["valid_percent"] == pytest.approx(100 * values.size / inside, rel=1e-9 + unsure / inside)


def test_masked_share_is_that_of_the_area(tmp_path: Path) -> None:
    grid = square(100, 80)
    scl = np.full(grid.shape, 4, np.uint8)
    scl[:, 60:] = 9
    scl[:20] = 9
    layers = {band: Layer(numbers=np.full(grid.shape, 3000, np.uint16), grid=grid) for band in ("red", "nir")}
    config = write_shots(tmp_path / "scenes", Shot(layers={**layers, "scl": Layer(numbers=scl, grid=grid)}))
    area = polygon(degrees(grid, [(50, 30), (70, 30), (70, 70), (50, 70)]))
    result = ndvi(config, tmp_path / "out", cloud_mask=True, aoi=area)
    assert result.statistics["masked_percent"] == pytest.approx(50)
    assert result.statistics["valid_percent"] == pytest.approx(50)


@pytest.mark.parametrize("colormap", [None, "greens"])
def test_overviews_show_the_area_alone(tmp_path: Path, whole: Whole, colormap: str | None) -> None:
    result = ndvi(whole.config, tmp_path, aoi=polygon(star(whole.grid, 1000, 1000, 400)), colormap=colormap)
    with rasterio.open(result.product.path, overview_level=0) as file:
        overview = file.read(1, masked=True)
    # The corners of the window lie outside of the star.
    assert overview.mask[:20, :20].all()
    assert not overview.mask[overview.shape[0] // 2 - 5 : overview.shape[0] // 2 + 5].all()


# Scenes on other grids than each other.


def random_shot(grid: Grid, seed: int, name: str = BEFORE) -> Shot:
    random = np.random.default_rng(seed)
    layers = {
        band: Layer(numbers=to_numbers(random.uniform(low, high, grid.shape)), grid=grid)
        for band, low, high in (("red", 0.02, 0.2), ("nir", 0.05, 0.5))
    }
    coarse = replace(grid, width=grid.width // 2, height=grid.height // 2, transform=grid.transform @ Affine.scale(2))
    layers["swir16"] = Layer(numbers=to_numbers(random.uniform(0.05, 0.4, coarse.shape)), grid=coarse)
    scl = random.choice(np.array([4, 4, 4, 5, 9], np.uint8), coarse.shape)
    return Shot(layers={**layers, "scl": Layer(numbers=scl, grid=coarse)}, name=name)


@pytest.mark.parametrize(
    "other",
    [
        square(1300, 1200, west=WEST + 70),
        square(1300, 1200, west=WEST + 65),
        square(440, 400, 30, west=WEST + 10),
        square(1500, 1500, epsg=32611, west=11_000, north=4_197_000),
        replace(
            square(1300, 1200),
            transform=Affine.translation(WEST, 4_181_000) @ Affine.rotation(-15) @ Affine.scale(10, -10),
        ),
    ],
    ids=["shifted", "half a pixel", "30 m", "another zone", "turned"],
)
def test_area_of_scenes_on_different_grids(tmp_path: Path, other: Grid) -> None:
    """Resampling gives the same where only a part is asked for."""
    config = write_shots(tmp_path / "scenes", random_shot(square(1300, 1200), 1), random_shot(other, 2, AFTER))
    full = compare(config, tmp_path / "full", bands=SWIR)
    middle = (full.grid.width / 2, full.grid.height / 2)
    area = polygon(star(full.grid, *middle, full.grid.height / 6))
    result = compare(config, tmp_path / "part", bands=SWIR, aoi=area)
    assert_bounding_window(result.grid, full.grid, area)
    assert_is_cut_from(result, full, area)
    assert result.statistics["overlap_percent"] == pytest.approx(full.statistics["overlap_percent"])


# Areas at the limits.


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Grid]:
    """A pair of 300 x 200 pixels around 122.5 degrees west."""
    grid = square(300, 200)
    shots = [Shot(layers=_flat(grid, band_pair), name=name) for name, band_pair in PAIR]
    return write_shots(tmp_path_factory.mktemp("plain"), *shots), grid


PAIR: list[tuple[str, Mapping[str, float]]] = [
    (BEFORE, {"red": 0.025, "nir": 0.32}),
    (AFTER, {"red": 0.18, "nir": 0.26}),
]


def _flat(grid: Grid, values: Mapping[str, float]) -> dict[str, Layer]:
    return {band: Layer(numbers=to_numbers(np.full(grid.shape, value)), grid=grid) for band, value in values.items()}


def assert_nothing_is_left(directory: Path) -> None:
    assert [path for path in directory.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "area",
    [
        [10, 50, 11, 51],
        [-122.6, -37.8, -122.4, -37.7],
        [57.4, 37.7, 57.6, 37.8],
        [-122.60, 37.7, -122.56, 37.8],
        [-122.56, 37.77, -122.5, 37.8],
        [170, -10, -170, 10],
        [-180, 89, 180, 90],
    ],
    ids=["Europe", "the other hemisphere", "the other side", "west of it", "north of it", "antimeridian", "pole"],
)
def test_area_outside_of_the_scene(tmp_path: Path, plain: tuple[Config, Grid], area: list[float]) -> None:
    for run in (compare, ndvi):
        with pytest.raises(AoiOutsideScene):
            run(plain[0], tmp_path / "out", aoi=area)
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    "area",
    [
        [-180, -90, 180, 90],
        [-180, 0, 180, 90],
        [-170, -60, -60, 80],
        [-125, 24, -66, 50],
        [-123, 37, -122, 38],
        [170, -60, -20, 80],
    ],
    ids=["the Earth", "northern hemisphere", "the Americas", "a country", "a degree", "over the antimeridian"],
)
def test_area_around_the_scene_is_all_of_it(tmp_path: Path, plain: tuple[Config, Grid], area: list[float]) -> None:
    config, grid = plain
    result = compare(config, tmp_path / "out", aoi=area)
    assert result.grid == grid
    assert result.pixels_by_class == [0, 0, 60_000, 0, 0]
    assert result.statistics["valid_percent"] == 100


def test_area_without_a_pixels_centre_is_named(tmp_path: Path, plain: tuple[Config, Grid]) -> None:
    config, grid = plain
    area = polygon(degrees(grid, [(100.1, 100.1), (100.4, 100.1), (100.4, 100.4), (100.1, 100.4)]))
    with pytest.raises(NoValidPixels, match="small"):
        compare(config, tmp_path / "out", aoi=area)
    assert_nothing_is_left(tmp_path)


def test_area_of_one_pixel(tmp_path: Path, plain: tuple[Config, Grid]) -> None:
    config, grid = plain
    area = polygon(degrees(grid, [(100.3, 60.3), (100.7, 60.3), (100.7, 60.7), (100.3, 60.7)]))
    result = compare(config, tmp_path / "out", aoi=area)
    assert result.numbers.tolist() == [[2]]
    assert place(result.grid, grid) == (slice(60, 61), slice(100, 101))
    assert result.statistics["classes"][2]["hectares"] == pytest.approx(0.01)


def test_area_in_a_hole_of_the_data(tmp_path: Path) -> None:
    grid = square(100, 80)
    layers = _flat(grid, PAIR[0][1])
    layers["red"].numbers[10:30, 10:30] = 0
    config = write_shots(tmp_path / "scenes", Shot(layers=layers))
    with pytest.raises(NoValidPixels, match="data"):
        ndvi(config, tmp_path / "out", aoi=polygon(degrees(grid, [(12, 12), (28, 12), (28, 28), (12, 28)])))
    assert list((tmp_path / "out").iterdir()) == []


def test_area_over_the_scene_but_beside_the_overlap(tmp_path: Path) -> None:
    first, second = square(100, 80), square(100, 80, west=WEST + 500)
    shots = [
        Shot(layers=_flat(grid, values), name=name) for grid, (name, values) in zip((first, second), PAIR, strict=True)
    ]
    config = write_shots(tmp_path / "scenes", *shots)
    area = box_around(first, 5, 5, 40, 40)
    with pytest.raises(AoiOutsideScene):
        compare(config, tmp_path / "out", aoi=area)
    assert_nothing_is_left(tmp_path / "out")
    assert ndvi(config, tmp_path / "out", aoi=area).statistics["valid_percent"] == pytest.approx(100)


@pytest.mark.parametrize(
    "touching",
    [
        [(20, 100), (60, 80), (60, 120)],
        [(20, 73.7), (60, 60), (60, 80)],
        [(100, 20), (90, 50), (110, 50)],
    ],
    ids=["left edge", "left edge aside", "upper edge"],
)
def test_hole_that_touches_the_edge_in_one_point(
    tmp_path: Path, plain: tuple[Config, Grid], touching: list[tuple[float, float]]
) -> None:
    """Valid in degrees; projected, the point may come to lie a little beyond the edge."""
    config, grid = plain
    west, south, east, north = box_around(grid, 20, 20, 250, 180)
    hole = degrees(grid, touching)
    if touching[0][0] == 20:
        hole[0][0] = hole[-1][0] = west
    else:
        hole[0][1] = hole[-1][1] = north
    area = polygon([[west, south], [east, south], [east, north], [west, north], [west, south]], hole)
    result = compare(config, tmp_path / "out", aoi=area)
    inside, sure = centres_inside(result.grid, area)
    np.testing.assert_array_equal((result.numbers == 2)[sure], inside[sure])


def at_the_antimeridian(epsg: int) -> Grid:
    """Some kilometres on either side of 180 degrees, just south of the equator."""
    if epsg == 4326:
        return Grid(crs=WGS84, transform=Affine(0.0005, 0, 179.95, 0, -0.0005, -0.5), width=200, height=120)
    return square(300, 200, 30, epsg=epsg, west=162_000 if epsg == 32701 else 829_000, north=9_945_000)


EITHER_SIDE = [
    [[[179.96, -0.54], [180.0, -0.54], [180.0, -0.51], [179.97, -0.51], [179.96, -0.54]]],
    [[[-180.0, -0.54], [-179.97, -0.54], [-179.98, -0.51], [-180.0, -0.51], [-180.0, -0.54]]],
]


@pytest.mark.parametrize("epsg", [32701, 32760, 4326])
@pytest.mark.parametrize("kind", ["box", "polygons"])
def test_area_over_the_antimeridian(tmp_path: Path, epsg: int, kind: str) -> None:
    """A box with west beyond east, or polygons cut at 180 degrees as RFC 7946 (3.1.9) asks for."""
    grid = at_the_antimeridian(epsg)
    config = write_shots(tmp_path / "scenes", Shot(layers=_flat(grid, PAIR[0][1])))
    area = [179.97, -0.54, -179.98, -0.51] if kind == "box" else multi(*EITHER_SIDE)
    result = ndvi(config, tmp_path / "out", aoi=area)
    lon, lat = lonlat(result.grid)
    lon = np.where(lon < 0, lon + 360, lon)
    outline = (
        shapely.box(179.97, -0.54, 180.02, -0.51)
        if kind == "box"
        else shapely.Polygon([[179.96, -0.54], [180.03, -0.54], [180.02, -0.51], [179.97, -0.51]])
    )
    sure = ~shapely.dwithin(shapely.points(lon, lat), outline.boundary, 5e-7)
    np.testing.assert_array_equal(~np.isnan(result.numbers)[sure], shapely.contains_xy(outline, lon, lat)[sure])
    assert (lon > 180).sum() > 100
    assert (lon < 180).sum() > 100


# What is read.


def blocks_touched(path: Path, rows: slice, columns: slice) -> int:
    """Bytes of the file's blocks in which these pixels lie."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        side, across = page.tilewidth, -(-page.imagewidth // page.tilewidth)
        return sum(
            page.databytecounts[row * across + column]
            for row in range(rows.start // side, (rows.stop - 1) // side + 1)
            for column in range(columns.start // side, (columns.stop - 1) // side + 1)
        )


@pytest.mark.parametrize(
    ("corners", "shift"),
    [
        ((600, 650, 700, 760), 0),
        ((500, 490, 560, 540), 0),
        ((1000, 1010, 1100, 1200), 0),
        ((30, 1500, 1950, 1530), 0),
        ((600, 650, 700, 760), 5),
        ((1000, 1010, 1100, 1200), 5),
    ],
    ids=["in a block", "corner of blocks", "seam of windows", "a long one", "resampled", "resampled at a seam"],
)
def test_only_the_blocks_of_the_area_are_read(
    tmp_path: Path,
    stac_server: StacServer,
    range_server: RangeServer,
    corners: tuple[int, int, int, int],
    shift: float,
) -> None:
    grid = square(2000, 1800)
    shots = [
        big_shot(grid, BEFORE),
        big_shot(replace(grid, transform=grid.transform @ Affine.translation(shift / 10, 0)), AFTER),
    ]
    options = {"blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1}
    config = serve_shots(stac_server, range_server, *shots, **options)
    result = compare(config, tmp_path / "out", aoi=box_around(grid, *corners))
    rows, columns = place(result.grid, grid)
    paths = sorted(range_server.folder.glob("*/*.tif"))
    assert len(paths) == 6
    touched = sum(blocks_touched(path, rows, columns) for path in paths)
    assert touched < sum(path.stat().st_size for path in paths) / 2
    # These files have no overviews. Three blocks of each red are looked at instead, of 512 x 512 pixels of 2 bytes.
    looked_at = 2 * 3 * 512 * 512 * 2
    assert range_server.bytes_sent <= 2 * touched + looked_at + HEADERS * len(paths)
    assert sum(result.pixels_by_class) == result.numbers.size - np.count_nonzero(result.numbers == 255)


def big_shot(grid: Grid, name: str) -> Shot:
    """Numbers that compress badly, as those of real scenes do."""
    random = np.random.default_rng(8)
    bands = {band: random.integers(1001, 7000, grid.shape).astype(np.uint16) for band in ("red", "nir")}
    layers = {key: Layer(numbers=numbers, grid=grid) for key, numbers in bands.items()}
    scl = Layer(numbers=random.choice(np.array([4, 5, 6], np.uint8), grid.shape), grid=grid)
    return Shot(layers={**layers, "scl": scl}, name=name)
