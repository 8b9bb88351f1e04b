"""NDVI: its formula, its palette indices, its statistics and its parameters."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from processing.raster.colormaps import Colormap
from processing.raster.operations import Tally, get_operation
from processing.raster.operations.ndvi import NdviParams
from processing.raster.types import Float32Array, Pixels
from tests.raster.support.rasters import float_ndvi

NDVI = get_operation("ndvi")
PLAIN, COLORED = NdviParams(), NdviParams(colormap="rdylgn")
SHAPE = (4, 5)
ENDS: dict[Colormap, tuple[str, str]] = {
    "rdylgn": ("A50026", "006837"),
    "greens": ("F7FCF5", "00441B"),
    "viridis": ("440154", "FDE724"),
}

reflectances = arrays(np.float32, SHAPE, elements=st.one_of(st.just(0.0), st.floats(2**-14, 2, width=32)))
masks = arrays(np.bool_, SHAPE)
# Fractions of 1024: each is exactly on an edge of a bin or well away from it.
fractions = st.lists(st.integers(-1024, 1024).map(lambda part: part / 1024), min_size=1, max_size=40)


def pixels(red: Float32Array, nir: Float32Array, valid: npt.NDArray[np.bool_]) -> Pixels:
    return Pixels(reflectance={"red": red, "nir": nir}, valid=valid)


def add(tally: Tally, values: npt.NDArray[Any]) -> None:
    """A window of `values`, each pixel of 100 m2."""
    window = np.asarray(values, np.float32)
    tally.add(window, np.full(window.shape[0], 100.0))


def ndvi_of(red: float, nir: float, *, valid: bool = True) -> float:
    window = pixels(np.full((1, 1), red, np.float32), np.full((1, 1), nir, np.float32), np.full((1, 1), valid))
    return float(NDVI.compute(PLAIN, [window])[0, 0])


@given(reflectances, reflectances, masks)
def test_ndvi_equals_its_definition_in_double_precision(
    red: Float32Array, nir: Float32Array, valid: npt.NDArray[np.bool_]
) -> None:
    values = NDVI.compute(PLAIN, [pixels(red.copy(), nir.copy(), valid)])
    expected = float_ndvi(red.astype(float), nir.astype(float), valid)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)
    assert np.nanmax(np.abs(values), initial=0) <= 1


@pytest.mark.parametrize(
    ("red", "nir", "expected"),
    [(0.1, 0.3, 0.5), (0.3, 0.1, -0.5), (0.2, 0.2, 0.0), (0.0, 0.4, 1.0), (0.4, 0.0, -1.0)],
)
def test_ndvi_of_known_pixels(red: float, nir: float, expected: float) -> None:
    assert ndvi_of(red, nir) == pytest.approx(expected, abs=1e-6)


def test_both_zero_is_nodata() -> None:
    assert np.isnan(ndvi_of(0, 0))


def test_invalid_pixel_is_nodata() -> None:
    assert np.isnan(ndvi_of(0.1, 0.3, valid=False))


def test_inputs_do_not_change() -> None:
    red, nir = np.full(SHAPE, 0.1, np.float32), np.full(SHAPE, 0.3, np.float32)
    NDVI.compute(PLAIN, [pixels(red, nir, np.ones(SHAPE, bool))])
    assert (red == np.float32(0.1)).all()
    assert (nir == np.float32(0.3)).all()


def test_without_a_colormap_the_values_are_the_dn() -> None:
    values = np.array([[-1, 0.25, np.nan]], np.float32)
    encoded = NDVI.encode(PLAIN, values)
    layout = NDVI.pixel_format(PLAIN)
    np.testing.assert_array_equal(encoded, values)
    assert encoded.dtype == np.float32
    assert (layout.dtype, layout.scale, layout.offset) == ("float32", 1, 0)
    assert np.isnan(layout.nodata)
    assert layout.palette == ()


@given(arrays(np.float32, SHAPE, elements=st.floats(-1, 1, width=32)))
def test_palette_index_is_the_nearest_and_reads_back(values: Float32Array) -> None:
    layout = NDVI.pixel_format(COLORED)
    index = NDVI.encode(COLORED, values)
    assert index.dtype == np.uint8
    assert np.abs(index - (1 + (values.astype(float) + 1) * 127)).max() <= 0.5 + 1e-4
    assert np.abs(index * layout.scale + layout.offset - values).max() <= 0.5 / 127 + 1e-6


@pytest.mark.parametrize(("value", "index"), [(-1, 1), (0, 128), (1, 255), (0.25, 160), (np.nan, 0)])
def test_palette_index_of_known_values(value: float, index: int) -> None:
    assert NDVI.encode(COLORED, np.array([[value]], np.float32))[0, 0] == index


@pytest.mark.parametrize("colormap", sorted(ENDS))
def test_palette_has_a_transparent_nodata_and_the_colormap_from_end_to_end(colormap: Colormap) -> None:
    layout = NDVI.pixel_format(NdviParams(colormap=colormap))
    low, high = (tuple(bytes.fromhex(color)) for color in ENDS[colormap])
    assert (layout.dtype, layout.nodata, len(layout.palette)) == ("uint8", 0, 256)
    assert layout.palette[0][3] == 0
    assert {color[3] for color in layout.palette[1:]} == {255}
    assert (layout.palette[1][:3], layout.palette[255][:3]) == (low, high)
    assert [layout.scale, layout.offset] == pytest.approx([1 / 127, -1 - 1 / 127])


def test_middle_of_rdylgn_is_its_middle_node() -> None:
    assert NDVI.pixel_format(COLORED).palette[128] == (0xFF, 0xFF, 0xBF, 255)


@given(st.lists(fractions, min_size=1, max_size=6), st.integers(0, 30))
def test_statistics_equal_those_of_all_windows_together(windows: list[list[float]], missing: int) -> None:
    tally = NDVI.tally(PLAIN)
    add(tally, np.full((1, missing), np.nan))
    for window in windows:
        add(tally, np.array([window]))
    together = np.concatenate([np.array(window) for window in windows])
    statistics = tally.statistics()
    histogram, _ = np.histogram(together, bins=20, range=(-1, 1))
    assert tally.valid == together.size
    assert statistics["minimum"] == together.min()
    assert statistics["maximum"] == together.max()
    assert statistics["mean"] == pytest.approx(together.mean(), abs=1e-7)
    assert statistics["stddev"] == pytest.approx(together.std(), abs=1e-6)
    assert statistics["histogram"] == {"count": 20, "min": -1, "max": 1, "buckets": histogram.tolist()}


def test_statistics_of_many_nearly_equal_values_keep_their_spread() -> None:
    values = (0.8 + 1e-4 * np.random.default_rng(3).standard_normal((50, 40, 40))).astype(np.float32)
    tally = NDVI.tally(PLAIN)
    for window in values:
        add(tally, window)
    statistics = tally.statistics()
    assert statistics["mean"] == pytest.approx(values.mean(dtype=float), abs=1e-7)
    assert statistics["stddev"] == pytest.approx(values.std(dtype=float), rel=1e-4)


def test_statistics_can_be_written_as_json() -> None:
    tally = NDVI.tally(PLAIN)
    add(tally, np.array([[0.25, np.nan, -0.5]]))
    read = json.loads(json.dumps(tally.statistics(), allow_nan=False))
    assert read == tally.statistics()
    assert (read["minimum"], read["maximum"], read["mean"]) == (-0.5, 0.25, -0.125)


def test_windows_without_data_change_nothing() -> None:
    empty, tally, another = (NDVI.tally(PLAIN) for _ in range(3))
    add(empty, np.full(SHAPE, np.nan))
    assert empty.valid == 0
    for one in (tally, another):
        add(one, np.array([[0.25, np.nan, -0.5]]))
    add(another, np.full(SHAPE, np.nan))
    assert another.valid == tally.valid == 2
    assert another.statistics() == tally.statistics()


def test_colormap_changes_nothing_about_the_statistics() -> None:
    plain, colored = NDVI.tally(PLAIN), NDVI.tally(COLORED)
    for tally in (plain, colored):
        add(tally, np.array([[0.25, np.nan, -0.5]]))
    assert plain.statistics() == colored.statistics()


@pytest.mark.parametrize(
    "params",
    [
        {"colormap": "jet"},
        {"colormap": "RdYlGn"},
        {"colormap": ""},
        {"colormap": 1},
        {"colormap": ["rdylgn"]},
        {"color_map": "rdylgn"},
        {"colormap": "rdylgn", "range": [0, 1]},
        {"cloud_mask": None},
        {"cloud_mask": "true"},
        {"cloud_mask": 1},
        {"aoi": []},
        {"aoi": "everywhere"},
    ],
)
def test_unknown_or_mistyped_params_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NdviParams.model_validate(params)


@pytest.mark.parametrize("params", [{}, {"colormap": None}, *({"colormap": name} for name in sorted(ENDS))])
def test_documented_params_are_accepted(params: dict[str, Any]) -> None:
    read = NdviParams.model_validate(params)
    assert read.colormap == params.get("colormap")
    assert (read.aoi, read.cloud_mask) == (None, False)


def test_area_and_cloud_mask_are_kept() -> None:
    read = NdviParams.model_validate({"aoi": [-122.5, 37.6, -122.4, 37.7], "cloud_mask": True})
    assert (read.aoi, read.cloud_mask) == ([-122.5, 37.6, -122.4, 37.7], True)
