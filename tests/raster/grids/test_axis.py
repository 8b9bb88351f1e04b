"""One side of a target on a source: positions, the source pixels that are needed, and what lies under each."""

from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.grids.resampling import Axis, nearest
from tests.raster.grids.plain_resampling import FIRSTS, STEPS, axis_over, between_centres, under_the_pixel


def test_positions_are_those_of_the_windows_pixels() -> None:
    axis = Axis.between(0.25, 0.5, 3, 6, 10)
    assert axis.position.tolist() == [1.75, 2.25, 2.75]
    assert (axis.step, axis.size) == (0.5, 10)


def test_inside_is_from_the_first_edge_up_to_but_not_at_the_last() -> None:
    axis = Axis.between(-0.75, 0.25, 0, 16, 3)
    inside = axis.position[axis.inside]
    assert (inside[0], inside[-1]) == (-0.5, 2.25)


@pytest.mark.parametrize(
    ("first", "step", "count", "size", "needed"),
    [
        (0.0, 1.0, 4, 10, (0, 5)),
        (2.25, 0.5, 4, 10, (2, 5)),  # centres 2.25 ... 3.75
        (-0.25, 0.5, 4, 10, (0, 3)),
        (8.75, 0.5, 4, 10, (8, 10)),  # 9.25 is the last inside
        (0.5, 2.0, 3, 10, (0, 7)),  # pixels 0 to 5 lie under them, and one beyond counts
        (9.0, -1.0, 3, 10, (7, 10)),
        (-20.0, 1.0, 5, 10, (0, 0)),
        (30.0, 1.0, 5, 10, (0, 0)),
        (0.0, 50.0, 1, 10, (0, 10)),
    ],
)
def test_pixels_around_the_centres_are_needed(
    first: float, step: float, count: int, size: int, needed: tuple[int, int]
) -> None:
    found = axis_over(first, step, size, count).needed
    assert (found.start, found.stop) == needed


@pytest.mark.parametrize(
    ("first", "step", "count", "size", "needed"),
    [
        (-0.25, 0.5, 1024, 1000, (0, 512)),  # a mask of twice the pixel size, its blocks no larger than the windows
        (255.75, 0.5, 512, 1000, (256, 512)),
        (0.5, 2.0, 3, 10, (1, 6)),
        (9.0, -1.0, 3, 10, (7, 10)),
        (30.0, 1.0, 5, 10, (0, 0)),
    ],
)
def test_pixels_around_the_centres_are_not_needed_without_blending(
    first: float, step: float, count: int, size: int, needed: tuple[int, int]
) -> None:
    found = axis_over(first, step, size, count, blends=False).needed
    assert (found.start, found.stop) == needed


@given(first=st.floats(-20, 20), step=st.floats(0.1, 8), size=st.integers(1, 15), is_flipped=st.booleans())
def test_all_pixels_that_any_way_of_resampling_uses_are_needed(
    first: float, step: float, size: int, is_flipped: bool
) -> None:
    axis = axis_over(first, -step if is_flipped else step, size, 12)
    needed = axis.needed
    assert 0 <= needed.start <= needed.stop <= size
    for position in axis.position[axis.inside].tolist():
        for weights in (between_centres, under_the_pixel):
            used = [index for index, weight in weights(position, step, size).items() if weight > 1e-9]
            assert needed.start <= min(used)
            assert max(used) < needed.stop


def test_neighbours_and_edges_are_counted_from_the_first_needed_pixel() -> None:
    axis = axis_over(4.25, 0.5, 10, 3)  # 4.25, 4.75, 5.25
    assert (axis.needed.start, axis.needed.stop) == (4, 7)
    before, after, weight = axis.neighbours()
    assert (before.tolist(), after.tolist(), weight.tolist()) == ([0, 0, 1], [1, 1, 2], [0.25, 0.75, 0.25])
    begin, end = axis.edges()
    assert (begin.tolist(), end.tolist()) == ([0.5, 1.0, 1.5], [1.0, 1.5, 2.0])
    assert axis.nearest().tolist() == [0, 1, 1]


def test_neighbours_and_edges_end_at_the_end_of_the_source() -> None:
    axis = axis_over(-0.25, 0.5, 2, 4)  # -0.25, 0.25, 0.75, 1.25
    before, after, _ = axis.neighbours()
    assert (before.tolist(), after.tolist()) == ([0, 0, 0, 1], [0, 1, 1, 1])
    wide = axis_over(0.5, 4.0, 2, 1)
    assert [edge.tolist() for edge in wide.edges()] == [[0.0], [2.0]]


@given(
    first=st.sampled_from(FIRSTS),
    step=st.sampled_from(STEPS),
    size=st.integers(1, 12),
    is_flipped=st.booleans(),
    blends=st.booleans(),
)
def test_nearest_is_the_pixel_in_which_the_centre_lies(
    first: float, step: float, size: int, is_flipped: bool, blends: bool
) -> None:
    source = np.arange(1, size * size + 1, dtype=np.uint8).reshape(size, size)
    first_of_rows, row_step = (size - first, -step) if is_flipped else (first, step)
    rows = axis_over(first_of_rows, row_step, size, 9, blends=blends)
    columns = axis_over(first, step, size, 7, blends=blends)
    result = nearest(source[rows.needed, columns.needed], rows, columns, outside=200)
    assert result.dtype == np.uint8
    assert result.shape == (9, 7)
    for row, column in np.ndindex(result.shape):
        at = floor(rows.position[row] + 0.5), floor(columns.position[column] + 0.5)
        inside = all(0 <= index < size for index in at)
        assert result[row, column] == (source[at] if inside else 200)
