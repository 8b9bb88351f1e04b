"""Halving rasters: each pixel is computed of the four (or fewer) below it, as a plain loop does."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from math import floor, isnan
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.cog.overviews import halving_for
from processing.raster.types import PixelFormat

NAN = float("nan")
FLOATS = PixelFormat(dtype="float32", nodata=NAN, overview_resampling="average")
INDICES = PixelFormat(dtype="uint8", nodata=0, overview_resampling="average")
DN = PixelFormat(dtype="uint16", nodata=0, overview_resampling="average")
CLASSES = PixelFormat(dtype="uint8", nodata=255, overview_resampling="mode")
LAYOUTS = {"floats": FLOATS, "indices": INDICES, "dn": DN, "classes": CLASSES}
# Around multiples of the rows that are halved at once.
SIDES = st.one_of(st.integers(1, 9), st.sampled_from([63, 64, 65, 128, 129, 255, 257]))

Pixels = npt.NDArray[Any]


def mean(valid: Sequence[Any]) -> float:
    return sum(float(value) for value in valid) / len(valid)


def rounded_mean(valid: Sequence[Any]) -> int:
    return floor(sum(int(value) for value in valid) / len(valid) + 0.5)


def first_of_the_most_frequent(valid: Sequence[Any]) -> int:
    return int(Counter(valid).most_common(1)[0][0])  # of equals, the first


COMBINE: dict[str, Callable[[Sequence[Any]], float]] = {
    "floats": mean,
    "indices": rounded_mean,
    "dn": rounded_mean,
    "classes": first_of_the_most_frequent,
}


def halved_pixel_by_pixel(pixels: Pixels, name: str) -> Pixels:
    nodata = LAYOUTS[name].nodata
    rows, columns = pixels.shape
    halved = np.empty((-(-rows // 2), -(-columns // 2)), pixels.dtype)
    for row, column in np.ndindex(halved.shape):
        below = pixels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
        valid = [value for value in below if not (isnan(value) if isnan(nodata) else value == nodata)]
        halved[row, column] = COMBINE[name](valid) if valid else nodata
    return halved


def assert_halved_as_by_a_loop(pixels: Pixels, name: str) -> None:
    halved = halving_for(LAYOUTS[name])(pixels)
    assert halved.dtype == pixels.dtype
    expected = halved_pixel_by_pixel(pixels, name)
    if name == "floats":
        np.testing.assert_allclose(halved, expected, rtol=1e-6, atol=1e-7)
    else:
        np.testing.assert_array_equal(halved, expected)


@given(
    rows=SIDES,
    columns=SIDES,
    name=st.sampled_from(sorted(LAYOUTS)),
    holes=st.sampled_from([0.0, 0.01, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_halving_is_that_of_a_plain_loop(rows: int, columns: int, name: str, holes: float, seed: int) -> None:
    layout, random = LAYOUTS[name], np.random.default_rng(seed)
    shape = rows, columns
    if name == "floats":
        pixels: Pixels = random.uniform(-1, 1, shape).astype(np.float32)
    elif name == "classes":
        pixels = random.integers(0, 3, shape).astype(np.uint8)
    else:
        pixels = random.integers(1, np.iinfo(layout.dtype).max, shape, endpoint=True).astype(layout.dtype)
    pixels[random.random(shape) < holes] = layout.nodata
    assert_halved_as_by_a_loop(pixels, name)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (65, 3), (130, 4)])
def test_nodata_stays_nodata(name: str, shape: tuple[int, int]) -> None:
    layout = LAYOUTS[name]
    pixels = np.full(shape, layout.nodata, layout.dtype)
    expected = np.full((-(-shape[0] // 2), -(-shape[1] // 2)), layout.nodata, layout.dtype)
    np.testing.assert_array_equal(halving_for(layout)(pixels), expected)


@pytest.mark.parametrize(
    ("name", "four", "one"),
    [
        ("floats", [1.0, 2.0, 3.0, 6.0], 3.0),
        ("floats", [NAN, 2.0, NAN, 4.0], 3.0),
        ("floats", [NAN, NAN, NAN, -0.25], -0.25),
        ("floats", [NAN, NAN, NAN, NAN], NAN),
        ("indices", [1, 2, 0, 0], 2),
        ("indices", [1, 1, 1, 2], 1),
        ("indices", [1, 0, 0, 0], 1),
        ("indices", [255, 255, 255, 255], 255),
        ("dn", [65535, 65535, 65535, 65535], 65535),
        ("dn", [65535, 65534, 0, 65535], 65535),
        ("classes", [2, 1, 1, 0], 1),
        ("classes", [0, 255, 255, 255], 0),
        ("classes", [2, 1, 1, 2], 2),
        ("classes", [255, 255, 1, 0], 1),
        ("classes", [255, 255, 255, 255], 255),
    ],
)
def test_four_pixels_become_one(name: str, four: list[float], one: float) -> None:
    layout = LAYOUTS[name]
    pixels = np.array(four, layout.dtype).reshape(2, 2)
    np.testing.assert_array_equal(halving_for(layout)(pixels), np.array([[one]], layout.dtype))


def test_every_four_classes_become_the_right_one() -> None:
    """All ways in which four pixels can be equal or nodata, each alone and all side by side."""
    fours = np.array(list(product([0, 1, 2, 3, 255], repeat=4)), np.uint8).reshape(-1, 2, 2)
    for four in fours:
        assert_halved_as_by_a_loop(four, "classes")
    assert_halved_as_by_a_loop(np.hstack(list(fours)), "classes")
    assert_halved_as_by_a_loop(np.vstack(list(fours)), "classes")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_last_row_and_column_of_odd_sides_count_alone(name: str) -> None:
    pixels = np.array([[1, 1, 7], [1, 1, 7], [3, 3, 9]], LAYOUTS[name].dtype)
    np.testing.assert_array_equal(halving_for(LAYOUTS[name])(pixels), [[1, 7], [3, 9]])


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_halving_leaves_the_pixels_unchanged(name: str) -> None:
    pixels = np.array([[1, 2, 7], [3, LAYOUTS[name].nodata, 7]], LAYOUTS[name].dtype)
    before = pixels.tobytes()
    halving_for(LAYOUTS[name])(pixels)
    assert pixels.tobytes() == before


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_one_pixel_that_differs_counts_in_every_place(name: str) -> None:
    for row, column in np.ndindex(2, 2):
        pixels = np.full((4, 4), 10, LAYOUTS[name].dtype)
        pixels[2 + row, column] = LAYOUTS[name].nodata
        assert_halved_as_by_a_loop(pixels, name)
        pixels[2 + row, column] = 30
        assert_halved_as_by_a_loop(pixels, name)
