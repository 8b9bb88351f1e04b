"""A grid: windows that cover it once, its pixel size in metres, and when two grids share their pixels."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster.grids.grid import Grid
from tests.raster.support.rasters import NORTH, WEST, grid


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40))
def test_windows_cover_every_pixel_exactly_once(width: int, height: int, block: int) -> None:
    covered = np.zeros((height, width), dtype=int)
    windows = list(grid(width, height).windows(block))
    for window in windows:
        assert 1 <= window.width <= block
        assert 1 <= window.height <= block
        assert window.col_off + window.width <= width
        assert window.row_off + window.height <= height
        covered[window.toslices()] += 1
    assert (covered == 1).all()
    assert grid(width, height).window_count(block) == len(windows)


def test_windows_go_row_by_row_and_are_cut_at_the_edges() -> None:
    windows = [(window.col_off, window.row_off, window.width, window.height) for window in grid(5, 3).windows(2)]
    assert windows == [
        (0, 0, 2, 2), (2, 0, 2, 2), (4, 0, 1, 2),
        (0, 2, 2, 1), (2, 2, 2, 1), (4, 2, 1, 1),
    ]  # fmt: skip


def test_shape_is_rows_then_columns() -> None:
    assert grid(5, 3).shape == (3, 5)


@pytest.mark.parametrize(
    ("epsg", "size", "metres"),
    [
        (32619, 10.0, 10.0),
        (2263, 100.0, 100 * 1200 / 3937),  # US survey feet
    ],
)
def test_pixel_size_is_in_metres(epsg: int, size: float, metres: float) -> None:
    assert grid(4, 4, size, epsg).gsd == pytest.approx(metres, rel=1e-6)


@pytest.mark.parametrize(("latitude", "width_of_a_degree"), [(0, 1.0), (60, 0.5), (-60, 0.5), (80, 0.1736)])
def test_pixel_size_in_degrees_is_that_of_a_square_on_the_ground(latitude: float, width_of_a_degree: float) -> None:
    second = 1 / 3600
    place = Affine(second, 0, 10 - 2 * second, 0, -second, latitude + 2 * second)
    degrees = replace(grid(4, 4, epsg=4326), transform=place)
    assert degrees.gsd == pytest.approx(30.9 * width_of_a_degree**0.5, rel=2e-3)


def test_pixel_size_of_a_turned_grid_is_the_length_of_a_pixel() -> None:
    turned = Affine.translation(WEST, NORTH) @ Affine.rotation(36.87) @ Affine.scale(10, -10)
    assert replace(grid(4, 4), transform=turned).gsd == pytest.approx(10)


@pytest.mark.parametrize(("epsg", "code"), [(32619, "EPSG:32619"), (4326, "EPSG:4326")])
def test_code_of_the_crs(epsg: int, code: str) -> None:
    assert grid(4, 4, epsg=epsg).proj_code == code


def test_crs_without_an_authority_has_no_code() -> None:
    crs = CRS.from_proj4("+proj=tmerc +lat_0=1.5 +lon_0=2.5 +x_0=77 +ellps=bessel +units=m")
    assert replace(grid(4, 4), crs=crs).proj_code is None


def test_grid_lies_on_itself_and_on_one_that_differs_by_rounding() -> None:
    one = grid(6, 4)
    nearly = replace(one, transform=one.transform @ Affine.translation(1e-9, 1e-9))
    assert one.offset_in(grid(6, 4)) == (0, 0)
    assert (one.offset_in(nearly), nearly.offset_in(one)) == ((0, 0), (0, 0))


@given(st.integers(0, 5), st.integers(0, 3), st.integers(1, 6), st.integers(1, 4))
def test_part_of_a_grid_is_found_where_it_was_cut(column: int, row: int, width: int, height: int) -> None:
    whole = grid(6, 4)
    part = whole.cut(Window(column, row, width, height))
    assert part.shape == (height, width)
    is_inside = column + width <= 6 and row + height <= 4
    assert part.offset_in(whole) == ((column, row) if is_inside else None)


def shifted(by: float) -> Affine:
    return grid(6, 4).transform @ Affine.translation(by, 0)


@pytest.mark.parametrize(
    "other",
    [
        grid(6, 4, metres=20),
        grid(6, 4, metres=10.01),
        grid(6, 4, epsg=32618),
        replace(grid(6, 4), transform=shifted(0.5)),
        replace(grid(6, 4), transform=shifted(0.0011)),
        replace(grid(6, 4), transform=grid(6, 4).transform @ Affine.rotation(1)),
        replace(grid(6, 4), transform=grid(6, 4).transform @ Affine.scale(1, -1)),
    ],
)
def test_grid_does_not_lie_on_one_with_other_pixels(other: Grid) -> None:
    assert grid(6, 4).offset_in(other) is None
    assert other.offset_in(grid(6, 4)) is None


@pytest.mark.parametrize("larger", [grid(7, 4), grid(6, 5), grid(7, 5)])
def test_grid_lies_on_a_larger_one_and_not_the_other_way_around(larger: Grid) -> None:
    assert grid(6, 4).offset_in(larger) == (0, 0)
    assert larger.offset_in(grid(6, 4)) is None


def test_grids_of_which_neither_holds_the_other_do_not_lie_on_each_other() -> None:
    for one, other in ((grid(6, 4), grid(4, 6)), (grid(6, 4), replace(grid(6, 4), transform=shifted(1)))):
        assert one.offset_in(other) is None
        assert other.offset_in(one) is None
