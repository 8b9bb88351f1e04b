"""Compact precision: every pixel of every level is as exact as promised, in about half the bytes."""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rio_cogeo.cogeo import cog_validate

from processing.raster.cog.tiles import FLOATING_POINT, NO_PREDICTOR, TileCodec
from processing.raster.operations import get_operation
from processing.raster.operations.ndvi import NdviParams
from processing.raster.types import Compression, Config
from tests.raster.support.pairs import Result, ndvi, shot, square, write_shots
from tests.raster.support.tile_decoding import decode_pages, decode_tile

Floats = npt.NDArray[np.float32]
COMPACT = get_operation("ndvi").pixel_format(NdviParams(precision="compact")).mantissa_bits
PROMISED = 2.0**-13  # 1/8192 of a value, as the API says
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
VALUES = st.floats(-1, 1, width=32)  # also -0, and denormals


def rounded(values: Floats, mantissa_bits: int, compression: Compression = "deflate") -> Floats:
    """The values as a reader decodes them from a tile."""
    codec = TileCodec(compression=compression, predictor=FLOATING_POINT, mantissa_bits=mantissa_bits)
    tile: Floats = decode_tile(codec.encode(values), codec.tiff_code, FLOATING_POINT, "float32", *values.shape)
    return tile


def row(*values: float) -> Floats:
    return np.array([values], np.float32)


@given(st.lists(VALUES, min_size=1, max_size=30))
@example([-1.0, 1.0, 0.0, -0.0, 0.99999994, -0.99999994, 1e-38, 1e-45, -1e-45, 0.5, 1 / 3])
def test_ndvi_changes_by_no_more_than_promised(values: list[float]) -> None:
    exact = row(*values)
    compact = rounded(exact, COMPACT)
    # Denormals have no bits to spare: their error is that of the smallest normal number. No NDVI is that small.
    allowed = PROMISED * np.maximum(np.abs(exact.astype(np.float64)), SMALLEST_NORMAL)
    assert (np.abs(compact.astype(np.float64) - exact) <= allowed).all()
    assert np.abs(compact).max() <= 1
    np.testing.assert_array_equal(np.signbit(compact), np.signbit(exact))


@given(st.lists(VALUES, min_size=1, max_size=30), st.integers(1, 22))
def test_error_is_half_of_the_last_bit_that_is_kept(values: list[float], mantissa_bits: int) -> None:
    exact = row(*values)
    compact = rounded(exact, mantissa_bits)
    allowed = 2.0 ** -(mantissa_bits + 1) * np.maximum(np.abs(exact.astype(np.float64)), SMALLEST_NORMAL)
    assert (np.abs(compact.astype(np.float64) - exact) <= allowed).all()
    np.testing.assert_array_equal(rounded(compact, mantissa_bits), compact)
    order = np.argsort(exact[0], kind="stable")
    assert (np.diff(compact[0][order]) >= 0).all()


@pytest.mark.parametrize("value", [-1.0, 1.0, 0.0, -0.0, 0.5, -0.25, 0.75])
def test_values_with_few_bits_do_not_change(value: float) -> None:
    assert rounded(row(value), COMPACT).tobytes() == row(value).tobytes()


@pytest.mark.parametrize("compression", ["deflate", "zstd"])
def test_nodata_stays_nodata_beside_any_value(compression: Compression) -> None:
    values = row(np.nan, 0.3, -np.nan, -0.3, np.nan)
    compact = rounded(values, COMPACT, compression)
    assert np.isnan(compact).tolist() == [[True, False, True, False, True]]


def test_rounding_is_to_the_nearest_and_away_from_zero_in_the_middle() -> None:
    step = 2.0**-COMPACT
    values = row(1 + 0.49 * step, 1 + 0.5 * step, 1 + 0.51 * step, -1 - 0.5 * step, 1 + 1.5 * step)
    expected = row(1, 1 + step, 1 + step, -1 - step, 1 + 2 * step)
    np.testing.assert_array_equal(rounded(values, COMPACT), expected)


@pytest.mark.parametrize("predictor", [NO_PREDICTOR, FLOATING_POINT])
def test_rounding_does_not_change_the_pixels_in_memory(predictor: int) -> None:
    tile = np.random.default_rng(1).uniform(-1, 1, (16, 16)).astype(np.float32)
    before = tile.tobytes()
    TileCodec(compression="deflate", predictor=predictor, mantissa_bits=COMPACT).encode(tile)
    assert tile.tobytes() == before


def test_part_of_a_larger_array_is_encoded_like_a_copy_of_it() -> None:
    whole = np.random.default_rng(1).uniform(-1, 1, (32, 32)).astype(np.float32)
    codec = TileCodec(compression="deflate", predictor=FLOATING_POINT, mantissa_bits=COMPACT)
    assert codec.encode(whole[3:19, 5:21]) == codec.encode(whole[3:19, 5:21].copy())


# --- Files ----------------------------------------------------------------------------------------------------------


@cache
def noise() -> dict[str, npt.NDArray[np.float64]]:
    """Random reflectance with holes, over several windows."""
    random = np.random.default_rng(11)
    bands = {name: random.uniform(0.02, 0.6, (1300, 1100)) for name in ("red", "nir")}
    bands["red"][random.random((1300, 1100)) < 0.1] = np.nan
    return bands


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return write_shots(tmp_path_factory.mktemp("scenes"), shot(noise(), square(1100, 1300)))


@pytest.fixture(scope="module")
def results(config: Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """The same job with full and with compact precision."""
    folder = tmp_path_factory.mktemp("results")
    return {precision: ndvi(config, folder / precision, precision=precision) for precision in ("full", "compact")}


def test_compact_file_is_valid_and_much_smaller(results: dict[str, Result]) -> None:
    full, compact = (results[precision].product for precision in ("full", "compact"))
    assert cog_validate(compact.path, strict=True, quiet=True) == (True, [], [])
    assert compact.path.stat().st_size == compact.size < 0.7 * full.size


def test_every_pixel_of_a_compact_file_is_as_exact_as_promised(results: dict[str, Result]) -> None:
    exact, compact = (results[precision].pixels.astype(np.float64) for precision in ("full", "compact"))
    np.testing.assert_array_equal(np.isnan(compact), np.isnan(exact))
    assert np.isnan(exact).any()
    valid = ~np.isnan(exact)
    assert (np.abs(compact - exact)[valid] <= PROMISED * np.abs(exact[valid])).all()
    assert (compact != exact)[valid].any()


def test_overviews_of_a_compact_file_are_compact_too_and_made_of_exact_pixels(results: dict[str, Result]) -> None:
    full, compact = (decode_pages(results[precision].product.path) for precision in ("full", "compact"))
    assert len(full) == len(compact) > 2
    for exact, level in zip(full, compact, strict=True):
        np.testing.assert_array_equal(rounded(exact, COMPACT), level)


def test_statistics_of_a_compact_result_are_those_of_full_precision(results: dict[str, Result]) -> None:
    full, compact = results["full"], results["compact"]
    assert full.statistics == compact.statistics
    exact = full.pixels[~np.isnan(full.pixels)].astype(np.float64)
    assert compact.statistics["mean"] == pytest.approx(exact.mean(), abs=1e-8)
    assert (compact.statistics["minimum"], compact.statistics["maximum"]) == (exact.min(), exact.max())


def test_full_precision_is_the_default(config: Config, results: dict[str, Result], tmp_path: Path) -> None:
    default = ndvi(config, tmp_path)
    np.testing.assert_array_equal(default.pixels, results["full"].pixels)
