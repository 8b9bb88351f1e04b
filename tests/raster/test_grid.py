"""A grid: windows that cover it once, its pixel size in metres, and when two grids are the same."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS

from processing.raster.grid import Grid
from tests.raster.rasters import NORTH, WEST, grid


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
        (4326, 1 / 3600, 30.9),  # one second of arc of latitude
        (2263, 100.0, 100 * 1200 / 3937),  # US survey feet
        (None, 7.0, 7.0),
    ],
)
def test_pixel_size_is_in_metres(epsg: int | None, size: float, metres: float) -> None:
    assert grid(4, 4, size, epsg).gsd == pytest.approx(metres, rel=2e-3)


def test_pixel_size_of_a_turned_grid_is_the_length_of_a_pixel() -> None:
    turned = Affine.translation(WEST, NORTH) @ Affine.rotation(36.87) @ Affine.scale(10, -10)
    assert replace(grid(4, 4), transform=turned).gsd == pytest.approx(10)


@pytest.mark.parametrize(("epsg", "code"), [(32619, "EPSG:32619"), (4326, "EPSG:4326"), (None, None)])
def test_code_of_the_crs(epsg: int | None, code: str | None) -> None:
    assert grid(4, 4, epsg=epsg).proj_code == code


def test_crs_without_an_authority_has_no_code() -> None:
    crs = CRS.from_proj4("+proj=tmerc +lat_0=1.5 +lon_0=2.5 +x_0=77 +ellps=bessel +units=m")
    assert replace(grid(4, 4), crs=crs).proj_code is None


def test_grid_matches_itself_and_one_that_differs_by_rounding() -> None:
    one = grid(6, 4)
    assert one.matches(grid(6, 4))
    assert one.matches(replace(one, transform=one.transform @ Affine.translation(1e-9, 1e-9)))


def shifted(by: float) -> Affine:
    return grid(6, 4).transform @ Affine.translation(by, 0)


@pytest.mark.parametrize(
    "other",
    [
        grid(7, 4),
        grid(6, 5),
        grid(4, 6),
        grid(6, 4, metres=20),
        grid(6, 4, epsg=32618),
        grid(6, 4, epsg=None),
        replace(grid(6, 4), transform=shifted(0.5)),
        replace(grid(6, 4), transform=shifted(0.001)),
    ],
)
def test_grid_does_not_match_one_with_other_pixels(other: Grid) -> None:
    assert not grid(6, 4).matches(other)
    assert not other.matches(grid(6, 4))
