"""Resampling between grids that run alike: what a plain look at each pixel says, and what GDAL's warper says."""

from collections.abc import Callable
from math import floor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from affine import Affine
from hypothesis import assume, given
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.warp import reproject

from processing.raster.grids.resampling import Axis, average, bilinear, nearest
from tests.raster.support.rasters import grid

NODATA, SATURATED = 0, 65535
# Ratios of catalogues' pixels (10, 15, 20, 30, 60 m) and one of no such kind.
STEPS = [1.0, 0.5, 2.0, 1 / 3, 1.5, 2 / 3, 3.0, 6.0, 0.73]

Dn = npt.NDArray[np.uint16]
Result = npt.NDArray[Any]
Weights = Callable[[float, float, int], dict[int, float]]
Combine = Callable[..., Result]


def numbers_for(rows: int, columns: int, seed: int = 1, holes: float = 0.0) -> Dn:
    """Reflectance of chance; of `holes`, half are nodata and half saturated."""
    random = np.random.default_rng(seed)
    numbers = random.integers(1000, 3000, (rows, columns)).astype(np.uint16)
    chance = random.random(numbers.shape)
    numbers[chance < holes] = NODATA
    numbers[chance < holes / 2] = SATURATED
    return numbers


def valid_in(numbers: Dn) -> npt.NDArray[np.bool_]:
    return (numbers != NODATA) & (numbers != SATURATED)


def resampled(combine: Combine, numbers: Dn, rows: Axis, columns: Axis) -> Result:
    """By what is needed of the source alone."""
    part = numbers[rows.needed, columns.needed]
    return combine(part, valid_in(part), rows, columns, NODATA)


def between_centres(position: float, step: float, size: int) -> dict[int, float]:
    """Weight of each source pixel by bilinear interpolation; beyond the outermost centres the edge goes on."""
    below, share = floor(position), position - floor(position)
    weights: dict[int, float] = {}
    for index, weight in ((below, 1 - share), (below + 1, share)):
        kept = min(max(index, 0), size - 1)
        weights[kept] = weights.get(kept, 0) + weight
    return weights


def under_the_pixel(position: float, step: float, size: int) -> dict[int, float]:
    """How much of each source pixel lies under the target's."""
    begin, end = position - abs(step) / 2, position + abs(step) / 2
    overlaps = {index: min(end, index + 0.5) - max(begin, index - 0.5) for index in range(size)}
    return {index: overlap for index, overlap in overlaps.items() if overlap > 0}


def pixel_by_pixel(numbers: Dn, rows: Axis, columns: Axis, method: str) -> Result:
    weights = METHODS[method][1]
    result = np.full((len(rows.position), len(columns.position)), NODATA, np.float64)
    valid = valid_in(numbers)
    for row, column in np.ndindex(result.shape):
        at = rows.position[row], columns.position[column]
        if not all(-0.5 <= place < size - 0.5 for place, size in zip(at, numbers.shape, strict=True)):
            continue
        if method == "bilinear" and not valid[floor(at[0] + 0.5), floor(at[1] + 0.5)]:
            continue
        down, across = (weights(place, axis.step, axis.size) for place, axis in zip(at, (rows, columns), strict=True))
        shares = {(i, j): down[i] * across[j] for i in down for j in across if valid[i, j]}
        if sum(shares.values()) > 1e-3 * sum(down.values()) * sum(across.values()):
            result[row, column] = sum(share * float(numbers[at]) for at, share in shares.items()) / sum(shares.values())
    return result


METHODS = {"bilinear": (bilinear, between_centres), "average": (average, under_the_pixel)}
FIRSTS = st.sampled_from([-3.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.25, 2.0, 7.75])


def axis_over(first: float, step: float, size: int, count: int, *, blends: bool = True) -> Axis:
    return Axis.between(first, step, 0, count, size, blends=blends)


@given(
    method=st.sampled_from(sorted(METHODS)),
    firsts=st.tuples(FIRSTS, FIRSTS),
    steps=st.tuples(st.sampled_from(STEPS), st.sampled_from(STEPS)),
    sizes=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    is_flipped=st.booleans(),
    holes=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_each_pixel_is_what_a_plain_loop_makes_of_it(
    method: str,
    firsts: tuple[float, float],
    steps: tuple[float, float],
    sizes: tuple[int, int],
    is_flipped: bool,
    holes: float,
    seed: int,
) -> None:
    numbers = numbers_for(*sizes, seed=seed, holes=holes)
    first, step = (sizes[0] - firsts[0], -steps[0]) if is_flipped else (firsts[0], steps[0])
    rows = axis_over(first, step, sizes[0], 9)
    columns = axis_over(firsts[1], steps[1], sizes[1], 11)
    result = resampled(METHODS[method][0], numbers, rows, columns)
    assert (result.dtype, result.shape) == (np.float32, (9, 11))
    np.testing.assert_allclose(result, pixel_by_pixel(numbers, rows, columns, method), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("holes", [0.0, 0.3])
@pytest.mark.parametrize("step", [0.5, 1.5])
def test_tall_arrays_are_resampled_like_small_ones(method: str, holes: float, step: float) -> None:
    """They are worked on in strips, first of the source and then of the target."""
    numbers = numbers_for(150, 6, seed=2, holes=holes)
    rows, columns = axis_over(-0.25, step, 150, int(151 / step)), axis_over(0.25, step, 6, 5)
    result = resampled(METHODS[method][0], numbers, rows, columns)
    np.testing.assert_allclose(result, pixel_by_pixel(numbers, rows, columns, method), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("target_metres", [10.0, 20.0, 15.0, 12.5, 7.0])
@pytest.mark.parametrize("shift", [0.0, 3.0, 5.0, -4.0])
def test_bilinear_is_what_gdal_makes_of_it(target_metres: float, shift: float) -> None:
    assert_as_gdal(Resampling.bilinear, bilinear, 20.0, target_metres, shift)


@pytest.mark.parametrize("target_metres", [20.0, 30.0, 60.0, 25.0, 37.0])
@pytest.mark.parametrize("shift", [0.0, 3.0, 5.0, -4.0])
def test_average_is_what_gdal_makes_of_it(target_metres: float, shift: float) -> None:
    assert_as_gdal(Resampling.average, average, 10.0, target_metres, shift)


def assert_as_gdal(method: Resampling, combine: Combine, metres: float, target_metres: float, shift: float) -> None:
    """On all of the target that lies within the source."""
    source = grid(60, 50, metres)
    numbers = numbers_for(50, 60, seed=4)
    count = int(46 * metres / target_metres)
    moved = Affine.translation(3 * metres + shift, -3 * metres - shift)
    target = grid(count, count, target_metres)
    place = moved @ target.transform
    expected = np.zeros((count, count), np.float32)
    reproject(
        numbers.astype(np.float32),
        expected,
        src_transform=source.transform,
        src_crs=source.crs,
        dst_transform=place,
        dst_crs=source.crs,
        resampling=method,
        tolerance=0,
        **({"XSCALE": "1", "YSCALE": "1"} if method == Resampling.bilinear else {}),
    )
    step = target_metres / metres
    first = (3 * metres + shift) / metres + step / 2 - 0.5
    result = resampled(combine, numbers, axis_over(first, step, 50, count), axis_over(first, step, 60, count))
    assert expected.min() >= 1000
    np.testing.assert_allclose(result, expected, rtol=1e-3)


@given(
    method=st.sampled_from(["bilinear", "average", "nearest"]),
    first=st.floats(-3, 3),
    step=st.one_of(st.sampled_from(STEPS), st.floats(0.3, 4)),
    cuts=st.tuples(st.integers(1, 39), st.integers(1, 39)),
    holes=st.sampled_from([0.0, 0.2]),
)
def test_windows_of_any_split_give_the_same_pixels(
    method: str, first: float, step: float, cuts: tuple[int, int], holes: float
) -> None:
    numbers = numbers_for(45, 45, seed=6, holes=holes)

    def window(rows: tuple[int, int], columns: tuple[int, int]) -> Result:
        blends = method != "nearest"
        axes = [Axis.between(first, step, begin, end, 45, blends=blends) for begin, end in (rows, columns)]
        if method == "nearest":
            return nearest(numbers[axes[0].needed, axes[1].needed], *axes, outside=NODATA)
        return resampled(METHODS[method][0], numbers, *axes)

    parts = [[(0, cut), (cut, 40)] for cut in cuts]
    joined = np.block([[window(rows, columns) for columns in parts[1]] for rows in parts[0]])
    np.testing.assert_array_equal(joined, window((0, 40), (0, 40)))


@given(
    method=st.sampled_from(sorted(METHODS)),
    first=st.sampled_from([-0.25, 0.0, 0.25, 1 / 3, 0.5, 0.6]),
    step=st.sampled_from(STEPS),
    holes=st.sampled_from([0.05, 0.5, 0.95]),
    seed=st.integers(0, 99),
)
def test_nodata_and_saturated_pixels_are_never_blended_into_others(
    method: str, first: float, step: float, holes: float, seed: int
) -> None:
    numbers = numbers_for(20, 20, seed=seed, holes=holes)
    assume(valid_in(numbers).any())
    axis = axis_over(first, step, 20, 25)
    result = resampled(METHODS[method][0], numbers, axis, axis)
    data = result[result != NODATA]
    known = numbers[valid_in(numbers)]
    assert (data >= known.min() * (1 - 1e-4)).all()
    assert (data <= known.max() * (1 + 1e-4)).all()
    # What is not valid means nothing, whatever number it is.
    other = np.where(valid_in(numbers), numbers, np.where(numbers == NODATA, SATURATED, NODATA)).astype(np.uint16)
    np.testing.assert_array_equal(resampled(METHODS[method][0], other, axis, axis), result)


@pytest.mark.parametrize("bad", [NODATA, SATURATED])
def test_bilinear_stays_nodata_where_the_centre_lies_in_a_pixel_without_data(bad: int) -> None:
    numbers = np.array([[1000, bad, 2000]], np.uint16)
    row, columns = axis_over(0.0, 1.0, 1, 1), axis_over(-0.25, 0.5, 3, 6)
    assert resampled(bilinear, numbers, row, columns).tolist() == [[1000, 1000, NODATA, NODATA, 2000, 2000]]


def test_average_is_of_the_valid_part_of_the_pixel() -> None:
    numbers = np.array([[1000, NODATA, 2000, 4000, SATURATED, NODATA]], np.uint16)
    row, columns = axis_over(0.0, 1.0, 1, 1), axis_over(0.5, 2.0, 6, 3)
    assert resampled(average, numbers, row, columns).tolist() == [[1000, 3000, NODATA]]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_source_without_data_gives_nodata_only(method: str) -> None:
    axis = axis_over(0.25, 0.5, 4, 8)
    numbers = np.full((4, 4), SATURATED, np.uint16)
    assert (resampled(METHODS[method][0], numbers, axis, axis) == NODATA).all()


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("nodata", [0.0, -9999.0])
def test_target_beyond_the_source_is_nodata(method: str, nodata: float) -> None:
    numbers = numbers_for(4, 4)
    here, elsewhere = axis_over(-2.0, 1.0, 4, 8), axis_over(50.0, 1.0, 4, 3)
    combine = METHODS[method][0]
    result = combine(numbers, valid_in(numbers), here, here, nodata)
    assert (result[2:6, 2:6] == numbers).all()
    result[2:6, 2:6] = nodata
    assert (result == nodata).all()
    nothing = numbers[here.needed, elsewhere.needed]
    assert nothing.size == 0
    assert combine(nothing, valid_in(nothing), here, elsewhere, nodata).tolist() == [[nodata] * 3] * 8


@given(
    first=FIRSTS,
    step=st.sampled_from(STEPS),
    size=st.integers(1, 12),
    is_flipped=st.booleans(),
    blends=st.booleans(),
)
def test_nearest_takes_the_pixel_in_which_the_centre_lies(
    first: float, step: float, size: int, is_flipped: bool, blends: bool
) -> None:
    source = np.arange(1, size * size + 1, dtype=np.uint8).reshape(size, size)
    first_of_rows, row_step = (size - first, -step) if is_flipped else (first, step)
    axes = axis_over(first_of_rows, row_step, size, 9, blends=blends)
    other = axis_over(first, step, size, 7, blends=blends)
    result = nearest(source[axes.needed, other.needed], axes, other, outside=200)
    assert (result.dtype, result.shape) == (np.uint8, (9, 7))
    for row, column in np.ndindex(result.shape):
        at = floor(axes.position[row] + 0.5), floor(other.position[column] + 0.5)
        inside = all(0 <= index < size for index in at)
        assert result[row, column] == (source[at] if inside else 200)


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
        (0.5, 2.0, 3, 10, (0, 7)),  # pixels 0 to 5 lie under them, and one is looked at beyond
        (9.0, -1.0, 3, 10, (7, 10)),
        (-20.0, 1.0, 5, 10, (0, 0)),
        (30.0, 1.0, 5, 10, (0, 0)),
        (0.0, 50.0, 1, 10, (0, 10)),
    ],
)
def test_needed_is_what_lies_around_the_centres(
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
def test_without_blending_nothing_around_the_centres_is_needed(
    first: float, step: float, count: int, size: int, needed: tuple[int, int]
) -> None:
    found = axis_over(first, step, size, count, blends=False).needed
    assert (found.start, found.stop) == needed


@given(first=st.floats(-20, 20), step=st.floats(0.1, 8), size=st.integers(1, 15), is_flipped=st.booleans())
def test_needed_holds_all_that_any_way_of_resampling_looks_at(
    first: float, step: float, size: int, is_flipped: bool
) -> None:
    axis = axis_over(first, -step if is_flipped else step, size, 12)
    needed = axis.needed
    assert 0 <= needed.start <= needed.stop <= size
    for position in axis.position[axis.inside]:
        for weights in (between_centres, under_the_pixel):
            looked_at = [index for index, weight in weights(position, step, size).items() if weight > 1e-9]
            assert needed.start <= min(looked_at)
            assert max(looked_at) < needed.stop


def test_neighbours_and_edges_are_counted_from_the_first_needed_pixel() -> None:
    axis = axis_over(4.25, 0.5, 10, 3)  # 4.25, 4.75, 5.25
    assert (axis.needed.start, axis.needed.stop) == (4, 7)
    before, after, weight = axis.neighbours()
    assert (before.tolist(), after.tolist(), weight.tolist()) == ([0, 0, 1], [1, 1, 2], [0.25, 0.75, 0.25])
    begin, end = axis.edges()
    assert (begin.tolist(), end.tolist()) == ([0.5, 1.0, 1.5], [1.0, 1.5, 2.0])
    assert axis.nearest().tolist() == [0, 1, 1]


def test_neighbours_and_edges_end_where_the_source_ends() -> None:
    axis = axis_over(-0.25, 0.5, 2, 4)  # -0.25, 0.25, 0.75, 1.25
    before, after, _ = axis.neighbours()
    assert (before.tolist(), after.tolist()) == ([0, 0, 0, 1], [0, 1, 1, 1])
    wide = axis_over(0.5, 4.0, 2, 1)
    assert [edge.tolist() for edge in wide.edges()] == [[0.0], [2.0]]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_resampling_leaves_the_source_as_it_was(method: str) -> None:
    numbers = numbers_for(6, 6, holes=0.4).astype(np.float32)
    valid, before = valid_in(numbers.astype(np.uint16)), numbers.copy()
    axis = axis_over(0.0, 1.0, 6, 6)
    METHODS[method][0](numbers, valid, axis, axis, NODATA)
    np.testing.assert_array_equal(numbers, before)
