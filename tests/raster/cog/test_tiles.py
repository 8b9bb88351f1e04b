"""Tiles as bytes: independent decoders return every bit."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.cog.tiles import FLOATING_POINT, HORIZONTAL, NO_PREDICTOR, TileCodec, predictor_for
from processing.raster.types import Compression
from tests.raster.support.tile_decoding import decode_tile

COMPRESSIONS: tuple[Compression, ...] = ("deflate", "zstd")
PREDICTORS = [
    ("uint8", NO_PREDICTOR),
    ("uint8", HORIZONTAL),
    ("uint16", NO_PREDICTOR),
    ("uint16", HORIZONTAL),
    ("float32", NO_PREDICTOR),
    ("float32", FLOATING_POINT),
]


def any_bits(dtype: str, rows: int, columns: int, seed: int) -> npt.NDArray[Any]:
    """Random bits: floats may be NaN, infinite, denormal or -0."""
    count = rows * columns * np.dtype(dtype).itemsize
    return np.frombuffer(np.random.default_rng(seed).bytes(count), dtype).reshape(rows, columns)


def assert_round_trip(tile: npt.NDArray[Any], compression: Compression, predictor: int) -> None:
    codec = TileCodec(compression=compression, predictor=predictor)
    decoded = decode_tile(codec.encode(tile), codec.tiff_code, predictor, str(tile.dtype), *tile.shape)
    assert decoded.dtype == tile.dtype
    np.testing.assert_array_equal(decoded.view(np.uint8), tile.view(np.uint8))


@given(
    case=st.sampled_from(PREDICTORS),
    compression=st.sampled_from(COMPRESSIONS),
    rows=st.integers(1, 20),
    columns=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_tile_of_any_bits_is_decoded_exactly(
    case: tuple[str, int], compression: Compression, rows: int, columns: int, seed: int
) -> None:
    dtype, predictor = case
    assert_round_trip(any_bits(dtype, rows, columns, seed), compression, predictor)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("dtype", "predictor"), PREDICTORS)
@pytest.mark.parametrize("block", [256, 512])
def test_tile_of_the_sizes_in_files_is_decoded_exactly(
    dtype: str, predictor: int, compression: Compression, block: int
) -> None:
    assert_round_trip(any_bits(dtype, block, block, block), compression, predictor)
    assert_round_trip(np.zeros((block, block), dtype), compression, predictor)


def test_tiles_of_changing_sizes_do_not_leak_into_each_other() -> None:
    for block in (512, 256, 512, 1, 256):
        assert_round_trip(any_bits("float32", block, block, block), "deflate", FLOATING_POINT)


@pytest.mark.parametrize(("dtype", "predictor"), PREDICTORS)
def test_encoding_leaves_the_pixels_unchanged(dtype: str, predictor: int) -> None:
    tile = any_bits(dtype, 64, 64, 1).copy()
    before = tile.tobytes()
    TileCodec(compression="deflate", predictor=predictor).encode(tile)
    assert tile.tobytes() == before


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("dtype", "predictor"), PREDICTORS)
def test_threads_encode_the_same_bytes_as_one_thread(dtype: str, predictor: int, compression: Compression) -> None:
    codec = TileCodec(compression=compression, predictor=predictor)
    tiles = [any_bits(dtype, side, side, seed) for seed in range(12) for side in (64, 128)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(codec.encode, tiles)) == [codec.encode(tile) for tile in tiles]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("dtype", "predictor"), PREDICTORS)
def test_imagecodecs_decodes_tiles_exactly(dtype: str, predictor: int, compression: Compression) -> None:
    tile = any_bits(dtype, 48, 80, 3)
    data = TileCodec(compression=compression, predictor=predictor).encode(tile)
    plain = (imagecodecs.zlib_decode if compression == "deflate" else imagecodecs.zstd_decode)(data)
    if predictor == FLOATING_POINT:
        raw = np.frombuffer(plain, dtype).reshape(tile.shape)
        decoded = imagecodecs.floatpred_decode(raw, axis=-1)
    else:
        decoded = np.frombuffer(plain, dtype).reshape(tile.shape)
        decoded = imagecodecs.delta_decode(decoded, axis=-1) if predictor == HORIZONTAL else decoded
    assert decoded.tobytes() == tile.tobytes()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_smooth_pixels_become_smaller_by_their_predictor(compression: Compression) -> None:
    ramp = np.add.outer(np.arange(512), np.arange(512)) + np.random.default_rng(1).integers(0, 3, (512, 512))
    for tile in (ramp.astype(np.uint16) * 7, (ramp / 4096 + 1).astype(np.float32)):
        sizes = [
            len(TileCodec(compression=compression, predictor=predictor).encode(tile))
            for predictor in (predictor_for(str(tile.dtype), has_palette=False), NO_PREDICTOR)
        ]
        assert sizes[0] < 0.8 * sizes[1]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("dtype", "has_palette"), [("uint8", False), ("uint8", True), ("uint16", True)])
def test_ragged_classes_and_palette_indices_become_smaller_without_a_predictor(
    dtype: str, has_palette: bool, compression: Compression
) -> None:
    random = np.random.default_rng(2)
    patches = random.integers(0, 5, (171, 171)).repeat(3, axis=0).repeat(3, axis=1)[:512, :512]
    tile = np.where(random.random(patches.shape) < 0.2, 255, patches).astype(dtype)
    ours, other = (
        len(TileCodec(compression=compression, predictor=predictor).encode(tile))
        for predictor in (predictor_for(dtype, has_palette=has_palette), HORIZONTAL)
    )
    assert ours < other
