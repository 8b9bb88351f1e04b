"""Areas outside, around and at the edge of a scene, of one pixel and of none."""

from pathlib import Path

import numpy as np
import pytest

from processing.raster.errors import AoiOutsideScene, NoValidPixels
from processing.raster.grids.grid import Grid
from processing.raster.types import Config
from tests.raster.aoi.areas import PAIR, box_around, centres_inside, degrees, flat, place, polygon
from tests.raster.support.pairs import (
    WEST,
    Shot,
    compare,
    ndvi,
    square,
    write_shots,
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Grid]:
    """A pair of 300 x 200 pixels around 122.5 degrees west."""
    grid = square(300, 200)
    shots = [Shot(layers=flat(grid, band_pair), name=name) for name, band_pair in PAIR]
    return write_shots(tmp_path_factory.mktemp("plain"), *shots), grid


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
    assert result.pixels.tolist() == [[2]]
    assert place(result.grid, grid) == (slice(60, 61), slice(100, 101))
    assert result.statistics["classes"][2]["hectares"] == pytest.approx(0.01, rel=2e-3)


def test_area_in_a_hole_of_the_data(tmp_path: Path) -> None:
    grid = square(100, 80)
    layers = flat(grid, PAIR[0][1])
    layers["red"].dn[10:30, 10:30] = 0
    config = write_shots(tmp_path / "scenes", Shot(layers=layers))
    with pytest.raises(NoValidPixels, match="data"):
        ndvi(config, tmp_path / "out", aoi=polygon(degrees(grid, [(12, 12), (28, 12), (28, 28), (12, 28)])))
    assert list((tmp_path / "out").iterdir()) == []


def test_area_over_the_scene_but_beside_the_overlap(tmp_path: Path) -> None:
    first, second = square(100, 80), square(100, 80, west=WEST + 500)
    shots = [
        Shot(layers=flat(grid, values), name=name) for grid, (name, values) in zip((first, second), PAIR, strict=True)
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
    np.testing.assert_array_equal((result.pixels == 2)[sure], inside[sure])
