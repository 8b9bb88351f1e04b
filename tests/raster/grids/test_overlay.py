"""One grid for all scenes: whose it is, where it begins and ends, and where files are read as they are."""

from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from processing.raster.errors import ScenesDoNotOverlap
from processing.raster.grids.grid import Grid
from processing.raster.grids.overlay import Overlay, lay_over
from tests.raster.support.pairs import NORTH, WEST, square


def turned(width: int, height: int, degrees: float, metres: float = 10.0) -> Grid:
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(degrees) @ Affine.scale(metres, -metres)
    return replace(square(width, height), transform=transform)


def in_degrees(west: float, width: int, height: int, size: float = 0.001, north: float = 1.0) -> Grid:
    return Grid(crs=CRS.from_epsg(4326), transform=Affine(size, 0, west, 0, -size, north), width=width, height=height)


def corner(overlay: Overlay) -> tuple[float, float]:
    return overlay.grid.transform.c, overlay.grid.transform.f


@given(
    *[st.integers(1, 60)] * 4,
    st.integers(-70, 70),
    st.integers(-70, 70),
    st.sampled_from([10.0, 30.0, 120.0]),
)
def test_grids_shifted_by_whole_pixels_share_their_exact_intersection(
    width: int, height: int, other_width: int, other_height: int, columns: int, rows: int, metres: float
) -> None:
    first = square(width, height, metres)
    second = square(other_width, other_height, metres, west=WEST + columns * metres, north=NORTH - rows * metres)
    left, right = max(0, columns), min(width, columns + other_width)
    top, bottom = max(0, rows), min(height, rows + other_height)
    shared = max(right - left, 0) * max(bottom - top, 0)
    percent = 100 * shared / min(width * height, other_width * other_height)
    if percent < 1:
        with pytest.raises(ScenesDoNotOverlap):
            lay_over([first, second])
        return
    overlay = lay_over([first, second])
    assert overlay.grid == first.cut(Window(left, top, right - left, bottom - top))
    assert overlay.overlap_percent == pytest.approx(percent)
    assert overlay.grid.offset_in(first) == (left, top)
    assert overlay.grid.offset_in(second) == (left - columns, top - rows)


def test_one_scene_is_its_own_grid() -> None:
    grid = turned(30, 20, 15)
    overlay = lay_over([grid])
    assert overlay.grid == grid
    assert overlay.overlap_percent == 100


def test_same_grid_is_taken_whole() -> None:
    for grid in (square(30, 20), turned(30, 20, 15), in_degrees(10, 30, 20)):
        overlay = lay_over([grid, grid])
        assert overlay.grid == grid
        assert overlay.grid.offset_in(grid) == (0, 0)
        assert overlay.overlap_percent == pytest.approx(100)


@pytest.mark.parametrize("share", [0.5, 0.25, 0.75])
def test_a_shift_by_a_part_of_a_pixel_is_snapped_inward(share: float) -> None:
    first = square(30, 20)
    second = square(30, 20, west=WEST + 10 * (5 + share), north=NORTH + 10 * share)
    overlay = lay_over([first, second])
    assert overlay.grid == first.cut(Window(6, 0, 24, 19))
    assert overlay.grid.offset_in(second) is None
    assert overlay.overlap_percent == pytest.approx(100 * (25 - share) * (20 - share) / 600)


def test_the_coarser_scene_owns_the_grid_whichever_comes_first() -> None:
    fine, coarse = square(300, 300), square(100, 100, 30, west=WEST + 15, north=NORTH + 15)
    for pair in ((fine, coarse), (coarse, fine)):
        overlay = lay_over(pair)
        assert overlay.grid == coarse.cut(Window(0, 1, 99, 99))


def test_a_tie_is_the_before_scenes() -> None:
    one, other = square(30, 20), square(30, 20, west=WEST + 5)
    assert corner(lay_over([one, other])) == (WEST + 10, NORTH)
    assert corner(lay_over([other, one])) == (WEST + 5, NORTH)


def test_a_tie_of_two_zones_is_the_before_scenes() -> None:
    west, east = square(400, 400, west=735_000, north=4_180_000), square(400, 400, epsg=32611, west=208_000)
    for pair in ((west, east), (east, west)):
        overlay = lay_over(pair)
        assert overlay.grid.crs == pair[0].crs
        assert overlay.grid.offset_in(pair[0]) is not None


def test_metres_are_compared_and_not_units() -> None:
    feet = Grid(crs=CRS.from_epsg(2227), transform=Affine(40, 0, 5.9e6, 0, -40, 2.2e6), width=500, height=500)
    assert feet.gsd == pytest.approx(12.19, abs=0.01)
    xs, ys = transform(feet.crs, CRS.from_epsg(32610), [5.9e6 + 10_000], [2.2e6 - 10_000])
    metres = square(900, 900, west=round(xs[0]) - 4500, north=round(ys[0]) + 4500)
    assert lay_over([metres, feet]).grid.crs == feet.crs


@pytest.mark.parametrize("columns", [300, 301, 100_000])
def test_scenes_that_do_not_overlap(columns: int) -> None:
    with pytest.raises(ScenesDoNotOverlap):
        lay_over([square(300, 300), square(300, 300, west=WEST + 10 * columns)])


@pytest.mark.parametrize(("columns", "together"), [(298, False), (297, True)])
def test_scenes_that_only_touch_do_not_overlap(columns: int, together: bool) -> None:
    """Of 300 columns two are less than one percent, three are just that."""
    scenes = [square(300, 300), square(300, 300, west=WEST + 10 * columns)]
    if together:
        assert lay_over(scenes).overlap_percent == pytest.approx(1)
    else:
        with pytest.raises(ScenesDoNotOverlap):
            lay_over(scenes)


def test_share_is_of_the_smaller_scene() -> None:
    large, small = square(1000, 1000), square(10, 10, west=WEST + 50)
    for pair in ((large, small), (small, large)):
        assert lay_over(pair).overlap_percent == pytest.approx(100)


@pytest.mark.parametrize("epsg", [32633, 32733, 3857, 3031, 3413, 2193, 27700])
def test_scenes_of_other_ends_of_the_earth_do_not_overlap(epsg: int) -> None:
    far = square(500, 500, epsg=epsg, west=450_000, north=1_100_000)
    for pair in ((square(500, 500), far), (far, square(500, 500))):
        with pytest.raises(ScenesDoNotOverlap):
            lay_over(pair)


@pytest.mark.parametrize("degrees", [15, -40, 90, 180])
def test_turned_grid_over_a_straight_one(degrees: float) -> None:
    scene = turned(100, 80, degrees)
    overlay = lay_over([scene, square(600, 600, west=WEST - 3000, north=NORTH + 3000)])
    assert overlay.grid == scene
    assert overlay.overlap_percent == pytest.approx(100)


@pytest.mark.parametrize(("west", "other"), [(179.9, -180.1), (-180.1, 179.9)])
def test_degrees_counted_from_either_side_of_the_antimeridian(west: float, other: float) -> None:
    first, second = in_degrees(west, 200, 100), in_degrees(other, 200, 100)
    overlay = lay_over([first, second])
    assert overlay.grid == first
    assert overlay.overlap_percent == pytest.approx(100)
    moved = [overlay.grid.moved(-turn) for turn in overlay.turns]
    assert moved[0].offset_in(first) == (0, 0)
    assert moved[1].offset_in(second) == (0, 0)


def test_degrees_counted_differently_and_of_other_sizes() -> None:
    fine, coarse = in_degrees(179.9, 200, 100), in_degrees(-180.05, 25, 20, 0.002)
    for pair in ((fine, coarse), (coarse, fine)):
        overlay = lay_over(pair)
        assert overlay.grid == coarse
        moved = [overlay.grid.moved(-turn) for turn in overlay.turns]
        assert moved[pair.index(coarse)].offset_in(coarse) == (0, 0)
        assert moved[pair.index(fine)].transform.c == pytest.approx(179.95)


def test_zones_on_either_side_of_the_antimeridian_overlap() -> None:
    """180 degrees lie at 167 km in zone 1 and at 833 km in zone 60, on the equator."""
    east = square(3000, 1000, epsg=32601, west=160_000, north=500_000)
    west = square(3000, 1000, epsg=32660, west=810_000, north=500_000)
    for pair in ((east, west), (west, east)):
        overlay = lay_over(pair)
        assert overlay.grid.crs == pair[0].crs
        assert 10 < overlay.overlap_percent < 100


@pytest.mark.parametrize("west", [179.8, -180.2])
def test_degrees_over_a_zone_that_crosses_the_antimeridian(west: float) -> None:
    zone = square(2000, 2000, epsg=32601, west=156_000, north=100_000)  # from 179.9 east over 180
    degrees = in_degrees(west, 400, 1000, 0.0009, north=0.95)
    for pair in ((zone, degrees), (degrees, zone)):
        overlay = lay_over(pair)
        assert overlay.overlap_percent > 90


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_three_scenes_share_the_grid_of_the_coarsest(order: tuple[int, ...]) -> None:
    fine, coarse = square(300, 300), square(100, 100, 30, west=WEST + 600, north=NORTH + 300)
    small = square(90, 120, west=WEST + 900, north=NORTH)
    scenes = [fine, coarse, small]
    overlay = lay_over([scenes[index] for index in order])
    assert overlay.grid == coarse.cut(Window(10, 10, 30, 40))
    assert overlay.overlap_percent == pytest.approx(100)
    assert overlay.turns == (0.0, 0.0, 0.0)


def test_a_tie_of_three_is_the_first_scenes() -> None:
    scenes = [square(60, 40, west=WEST + shift) for shift in (2, 6, 9)]
    for first in range(3):
        overlay = lay_over([*scenes[first:], *scenes[:first]])
        assert overlay.grid.offset_in(scenes[first]) is not None


def test_share_of_three_is_what_all_have_of_the_smallest() -> None:
    scenes = [square(100, 100), square(100, 100, west=WEST + 400), square(50, 100, west=WEST + 700)]
    assert lay_over(scenes).overlap_percent == pytest.approx(60)  # columns 70 to 100 of 50


def test_scenes_that_overlap_only_in_pairs_do_not_overlap() -> None:
    scenes = [square(100, 100, west=WEST + west) for west in (0, 800, 1600)]
    for pair in pairwise(scenes):
        assert lay_over(pair).overlap_percent == pytest.approx(20)
    with pytest.raises(ScenesDoNotOverlap):
        lay_over(scenes)


def test_each_of_three_scenes_has_its_own_turn() -> None:
    scenes = [in_degrees(west, 200, 100) for west in (179.9, -180.1, 179.95)]
    overlay = lay_over(scenes)
    moved = [overlay.grid.moved(-turn) for turn in overlay.turns]
    assert [grid.offset_in(scene) for grid, scene in zip(moved, scenes, strict=True)] == [(50, 0), (50, 0), (0, 0)]


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 30), st.integers(1, 20))
def test_offset_of_a_cut(column: int, row: int, width: int, height: int) -> None:
    for grid in (square(60, 40), turned(60, 40, 33), in_degrees(-5.1, 60, 40)):
        assert grid.cut(Window(column, row, width, height)).offset_in(grid) == (column, row)


def test_no_offset_where_pixels_differ() -> None:
    grid = square(60, 40)
    part = grid.cut(Window(10, 10, 20, 20))
    for other in (
        replace(grid, crs=CRS.from_epsg(32611)),
        square(60, 40, 10.01),
        square(60, 40, west=WEST + 5),
        square(60, 40, north=NORTH + 0.5),
        replace(grid, transform=grid.transform @ Affine.rotation(0.01)),
        replace(grid, transform=grid.transform @ Affine.scale(1, -1)),
        square(25, 40),
        square(60, 40, west=WEST + 200),
    ):
        assert part.offset_in(other) is None
