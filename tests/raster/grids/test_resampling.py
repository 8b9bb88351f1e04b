"""Resampling between parallel grids: as a plain loop and as GDAL's warper, and invalid pixels never blend."""

import numpy as np
import pytest
from affine import Affine
from hypothesis import assume, given
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.warp import reproject

from processing.raster.grids.resampling import Axis, average, bilinear, nearest
from tests.raster.grids.plain_resampling import (
    FIRSTS,
    METHODS,
    NODATA,
    SATURATED,
    STEPS,
    Combine,
    Result,
    axis_over,
    pixel_by_pixel,
    random_dn,
    resampled,
    valid_in,
)
from tests.raster.support.rasters import grid


@given(
    method=st.sampled_from(sorted(METHODS)),
    firsts=st.tuples(st.sampled_from(FIRSTS), st.sampled_from(FIRSTS)),
    steps=st.tuples(st.sampled_from(STEPS), st.sampled_from(STEPS)),
    sizes=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    is_flipped=st.booleans(),
    holes=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_each_pixel_is_that_of_a_plain_loop(
    method: str,
    firsts: tuple[float, float],
    steps: tuple[float, float],
    sizes: tuple[int, int],
    is_flipped: bool,
    holes: float,
    seed: int,
) -> None:
    dn = random_dn(*sizes, seed=seed, holes=holes)
    first, step = (sizes[0] - firsts[0], -steps[0]) if is_flipped else (firsts[0], steps[0])
    rows = axis_over(first, step, sizes[0], 9)
    columns = axis_over(firsts[1], steps[1], sizes[1], 11)
    result = resampled(METHODS[method][0], dn, rows, columns)
    assert result.dtype == np.float32
    assert result.shape == (9, 11)
    np.testing.assert_allclose(result, pixel_by_pixel(dn, rows, columns, method), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("holes", [0.0, 0.3])
@pytest.mark.parametrize("step", [0.5, 1.5])
def test_tall_arrays_are_resampled_like_small_ones(method: str, holes: float, step: float) -> None:
    """They are computed in strips, first of the source and then of the target."""
    dn = random_dn(150, 6, seed=2, holes=holes)
    rows, columns = axis_over(-0.25, step, 150, int(151 / step)), axis_over(0.25, step, 6, 5)
    result = resampled(METHODS[method][0], dn, rows, columns)
    np.testing.assert_allclose(result, pixel_by_pixel(dn, rows, columns, method), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("target_metres", [10.0, 20.0, 15.0, 12.5, 7.0])
@pytest.mark.parametrize("shift", [0.0, 3.0, 5.0, -4.0])
def test_bilinear_is_that_of_gdal(target_metres: float, shift: float) -> None:
    assert_as_gdal(Resampling.bilinear, bilinear, 20.0, target_metres, shift)


@pytest.mark.parametrize("target_metres", [20.0, 30.0, 60.0, 25.0, 37.0])
@pytest.mark.parametrize("shift", [0.0, 3.0, 5.0, -4.0])
def test_average_is_that_of_gdal(target_metres: float, shift: float) -> None:
    assert_as_gdal(Resampling.average, average, 10.0, target_metres, shift)


def assert_as_gdal(method: Resampling, combine: Combine, metres: float, target_metres: float, shift: float) -> None:
    """On all of the target that lies within the source."""
    source = grid(60, 50, metres)
    dn = random_dn(50, 60, seed=4)
    count = int(46 * metres / target_metres)
    moved = Affine.translation(3 * metres + shift, -3 * metres - shift)
    target = grid(count, count, target_metres)
    place = moved @ target.transform
    expected = np.zeros((count, count), np.float32)
    reproject(
        dn.astype(np.float32),
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
    result = resampled(combine, dn, axis_over(first, step, 50, count), axis_over(first, step, 60, count))
    assert expected.min() >= 1000
    np.testing.assert_allclose(result, expected, rtol=1e-3)


@given(
    method=st.sampled_from(["bilinear", "average", "nearest"]),
    first=st.floats(-3, 3),
    step=st.one_of(st.sampled_from(STEPS), st.floats(0.3, 4)),
    cuts=st.tuples(st.integers(1, 39), st.integers(1, 39)),
    holes=st.sampled_from([0.0, 0.2]),
)
def test_windows_of_any_split_have_the_same_pixels(
    method: str, first: float, step: float, cuts: tuple[int, int], holes: float
) -> None:
    dn = random_dn(45, 45, seed=6, holes=holes)

    def window(row_span: tuple[int, int], column_span: tuple[int, int]) -> Result:
        blends = method != "nearest"
        rows, columns = (
            Axis.between(first, step, begin, end, 45, blends=blends) for begin, end in (row_span, column_span)
        )
        if method == "nearest":
            return nearest(dn[rows.needed, columns.needed], rows, columns, outside=NODATA)
        return resampled(METHODS[method][0], dn, rows, columns)

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
    dn = random_dn(20, 20, seed=seed, holes=holes)
    assume(valid_in(dn).any())
    axis = axis_over(first, step, 20, 25)
    result = resampled(METHODS[method][0], dn, axis, axis)
    data = result[result != NODATA]
    known = dn[valid_in(dn)]
    assert (data >= known.min() * (1 - 1e-4)).all()
    assert (data <= known.max() * (1 + 1e-4)).all()
    # The DN of an invalid pixel does not matter.
    other = np.where(valid_in(dn), dn, np.where(dn == NODATA, SATURATED, NODATA)).astype(np.uint16)
    np.testing.assert_array_equal(resampled(METHODS[method][0], other, axis, axis), result)


@pytest.mark.parametrize("bad", [NODATA, SATURATED])
def test_bilinear_is_nodata_if_the_centre_lies_in_an_invalid_pixel(bad: int) -> None:
    dn = np.array([[1000, bad, 2000]], np.uint16)
    row, columns = axis_over(0.0, 1.0, 1, 1), axis_over(-0.25, 0.5, 3, 6)
    assert resampled(bilinear, dn, row, columns).tolist() == [[1000, 1000, NODATA, NODATA, 2000, 2000]]


def test_average_is_of_the_valid_part_of_the_pixel() -> None:
    dn = np.array([[1000, NODATA, 2000, 4000, SATURATED, NODATA]], np.uint16)
    row, columns = axis_over(0.0, 1.0, 1, 1), axis_over(0.5, 2.0, 6, 3)
    assert resampled(average, dn, row, columns).tolist() == [[1000, 3000, NODATA]]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_source_without_data_becomes_nodata(method: str) -> None:
    axis = axis_over(0.25, 0.5, 4, 8)
    dn = np.full((4, 4), SATURATED, np.uint16)
    assert (resampled(METHODS[method][0], dn, axis, axis) == NODATA).all()


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("nodata", [0.0, -9999.0])
def test_target_beyond_the_source_is_nodata(method: str, nodata: float) -> None:
    dn = random_dn(4, 4)
    here, elsewhere = axis_over(-2.0, 1.0, 4, 8), axis_over(50.0, 1.0, 4, 3)
    combine = METHODS[method][0]
    result = combine(dn, valid_in(dn), here, here, nodata)
    assert (result[2:6, 2:6] == dn).all()
    result[2:6, 2:6] = nodata
    assert (result == nodata).all()
    nothing = dn[here.needed, elsewhere.needed]
    assert nothing.size == 0
    assert combine(nothing, valid_in(nothing), here, elsewhere, nodata).tolist() == [[nodata] * 3] * 8


@pytest.mark.parametrize("method", sorted(METHODS))
def test_resampling_leaves_the_source_unchanged(method: str) -> None:
    dn = random_dn(6, 6, holes=0.4)
    source, valid = dn.astype(np.float32), valid_in(dn)
    axis = axis_over(0.0, 1.0, 6, 6)
    METHODS[method][0](source, valid, axis, axis, NODATA)
    np.testing.assert_array_equal(source, dn)
