"""From DN to reflectance: exact to the precision of float32, and no pixel without data taken for data."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processing.raster.radiometry.reflectance import has_gaps, to_reflectance, valid_pixels
from processing.raster.types import PixelArray
from tests.raster.support.rasters import band

SENTINEL, SENTINEL_SHIFTED, LANDSAT = (1e-4, 0.0), (1e-4, -0.1), (2.75e-5, -0.2)


@given(
    st.lists(st.integers(0, 65535), min_size=1, max_size=50),
    st.sampled_from([SENTINEL, SENTINEL_SHIFTED, LANDSAT]),
)
@example([0, 1, 999, 1000, 1001, 1002, 65535], SENTINEL_SHIFTED)
@example([0, 7272, 7273, 7274, 65535], LANDSAT)
def test_reflectance_is_exact_to_the_precision_of_float32(dn: list[int], radiometry: tuple[float, float]) -> None:
    scale, offset = radiometry
    window = np.array([dn], np.uint16)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=scale, offset=offset))
    expected = (window.astype(np.float64) * scale + offset).clip(0)
    assert reflectance.dtype == np.float32
    assert (reflectance >= 0).all()
    np.testing.assert_allclose(reflectance, expected, rtol=2e-7, atol=1e-16)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_reflectance_of_every_dtype(dtype: str) -> None:
    window = np.array([[0, 1, 100, 127]], dtype)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=1e-2, offset=-0.5))
    np.testing.assert_allclose(reflectance, [[0, 0, 0.5, 0.77]], rtol=2e-7)


def test_dn_are_left_as_they_were() -> None:
    window = np.array([[0.0, 1000.0, 5000.0]], np.float32)
    to_reflectance(window, band(Path("any.tif"), scale=1e-4, offset=-0.1))
    assert window.tolist() == [[0, 1000, 5000]]


@pytest.mark.parametrize(
    ("dn", "nodata", "expected"),
    [
        (np.array([0, 1, 65534, 65535], np.uint16), 0, [False, True, True, False]),
        (np.array([0, 1, 7], np.uint16), 7, [True, True, False]),
        (np.array([0, 1, 255], np.uint8), 0, [False, True, True]),
        (np.array([-9999, 0, 32767], np.int16), -9999, [False, True, True]),
        (np.array([0, 1.5, np.nan, np.inf, 65535], np.float32), 0, [False, True, False, False, True]),
        (np.array([0, np.nan, 1], np.float32), np.nan, [True, False, True]),
    ],
)
def test_valid_pixels(dn: PixelArray, nodata: float, expected: list[bool]) -> None:
    assert valid_pixels(dn, nodata).tolist() == expected
    for part in (dn[first:last] for first, last in combinations(range(len(dn) + 1), 2)):
        assert has_gaps(part, nodata) is not bool(valid_pixels(part, nodata).all())


def test_a_gap_within_the_range_of_the_data_may_not_be_overlooked() -> None:
    assert has_gaps(np.array([3, 7, 5], np.uint16), 7)
    assert has_gaps(np.array([-5.0, -9999.0, 5.0], np.float32), -9999)


@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_what_is_below_zero_is_clipped_beside_nan(shift: float) -> None:
    window = np.array([[np.nan, -3, 0, 100]], np.float32)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=1e-2, offset=shift))
    np.testing.assert_allclose(reflectance[0, 1:], [0, 0, 1 + shift])
