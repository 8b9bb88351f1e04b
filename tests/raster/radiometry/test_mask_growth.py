"""Clouds, shadows and snow grow on the mask; nodata and faulty pixels do not."""

import numpy as np
import pytest

from processing.raster.radiometry.masks import (
    CLEAR,
    HIDDEN,
    NEAR,
    NEAR_PIXELS,
    around,
    clarity,
    clear_pixels,
    cloudy_pixels,
    faulty_pixels,
)
from processing.raster.types import BoolArray, MaskKind, PixelArray


def slowly_around(marked: BoolArray, reach: int) -> BoolArray:
    """Pixel by pixel, of the same shape as `marked`."""
    near = np.zeros_like(marked)
    for row, column in np.argwhere(marked):
        near[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = True
    return near


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 4, 7, 30])
def test_pixels_within_reach_in_rows_and_columns_are_around(reach: int) -> None:
    marked = np.random.default_rng(reach).random((37, 52)) < 0.01
    np.testing.assert_array_equal(around(np.pad(marked, reach), reach), slowly_around(marked, reach))


def test_one_pixel_grows_to_its_neighbours_across_corners_too() -> None:
    marked = np.zeros((5, 5), np.bool_)
    marked[2, 2] = True
    assert around(np.pad(marked, 1), 1)[1:4, 1:4].all()
    assert around(np.pad(marked, 1), 1).sum() == 9


@pytest.mark.parametrize("cloud", [3, 8, 9, 10, 11])
def test_clouds_shadows_and_snow_of_a_scene_classification_grow(cloud: int) -> None:
    assert cloudy_pixels(np.array([cloud], np.uint8), "scl").item()


@pytest.mark.parametrize("other", [0, 1, 2, 4, 5, 6, 7, 12])
def test_all_other_classes_do_not_grow(other: int) -> None:
    assert not cloudy_pixels(np.array([other], np.uint8), "scl").item()


@pytest.mark.parametrize(
    ("dn", "grows"),
    [(1, False), (21824, False), (22280, True), (23888, True), (54596, True), (0b10, True), (0b11, False)],
)
def test_quality_bits_grow_unless_they_are_fill(dn: int, grows: bool) -> None:
    assert cloudy_pixels(np.array([dn], np.uint16), "qa_pixel").item() is grows


def levels(dn: PixelArray, kind: MaskKind, reach: int) -> PixelArray:
    return clarity(np.pad(cloudy_pixels(dn, kind), reach + NEAR_PIXELS), faulty_pixels(dn, kind), reach)


@pytest.mark.parametrize("reach", [0, 1, 3, 50])
def test_clarity_of_every_pixel(reach: int) -> None:
    random = np.random.default_rng(reach)
    dn = np.where(random.random((60, 70)) < 0.004, random.integers(0, 12, (60, 70)), 4).astype(np.uint8)
    cloudy, hidden = cloudy_pixels(dn, "scl"), ~clear_pixels(dn, "scl")
    expected = np.full(dn.shape, CLEAR)
    expected[slowly_around(cloudy, reach + NEAR_PIXELS)] = NEAR
    expected[slowly_around(cloudy, reach) | hidden] = HIDDEN
    assert len(np.unique(expected)) > 1 or reach == 50
    np.testing.assert_array_equal(levels(dn, "scl", reach), expected)


def test_edge_of_the_swath_does_not_grow() -> None:
    dn = np.full((20, 20), 4, np.uint8)
    dn[:, :8] = 0
    np.testing.assert_array_equal(levels(dn, "scl", 3), np.where(dn == 0, HIDDEN, CLEAR))
