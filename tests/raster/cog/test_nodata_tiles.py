"""Tiles of nodata: the same bytes, nodata at every level, and never in place of other tiles."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import rasterio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tifffile import TiffFile

from processing.raster.cog.pyramid import WINDOW, Pyramid
from processing.raster.cog.tiles import TileCodec, predictor_for
from processing.raster.types import PixelArray, PixelFormat
from tests.raster.support.cogs import FORMATS, pixels_for, write_cog
from tests.raster.support.rasters import grid, read_tif
from tests.raster.support.tile_decoding import decode_pages, pages_of

LAYOUTS = {**FORMATS, "compact": replace(FORMATS["float32"], mantissa_bits=12)}
BLOCK = 512


def tile_bytes(path: Path) -> dict[tuple[int, int, int], bytes]:
    """The encoded tiles of a file by level, row and column."""
    content, tiles = path.read_bytes(), {}
    with TiffFile(path) as file:
        for level, page in enumerate(pages_of(file)):
            across = -(-page.imagewidth // page.tilewidth)
            for index, (start, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
                tiles[level, index // across, index % across] = content[start : start + size]
    return tiles


def is_nodata(pixels: PixelArray, layout: PixelFormat) -> PixelArray:
    return np.isnan(pixels) if np.isnan(layout.nodata) else pixels == layout.nodata


@pytest.mark.parametrize("name", LAYOUTS)
def test_window_of_nodata_is_nodata_at_all_levels_and_its_tiles_have_the_same_bytes(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(2048, 2048), LAYOUTS[name], tmp_path / "result.tif"
    pixels = np.full(on.shape, layout.nodata, layout.dtype)
    pixels[1024:, 1024:] = pixels_for(layout, grid(1024, 1024))
    write_cog(path, on, layout, pixels)
    levels = decode_pages(path)
    assert [level.shape[0] for level in levels] == [2048, 1024, 512]
    for index, level in enumerate(levels):
        half = level.shape[0] // 2
        assert is_nodata(level, layout)[:half].all()
        assert is_nodata(level, layout)[:, :half].all()
        assert not is_nodata(level, layout)[half:, half:].all()
        with rasterio.open(path, **({"overview_level": index - 1} if index else {})) as file:
            np.testing.assert_array_equal(file.read(1), level)
    tiles = tile_bytes(path)
    of_nodata = [(0, row, column) for row in range(4) for column in range(4) if min(row, column) < 2]
    of_nodata += [(1, 0, 0), (1, 0, 1), (1, 1, 0)]
    assert len({tiles[place] for place in of_nodata}) == 1
    others = [tiles[place] for place in tiles if place not in of_nodata]
    assert tiles[0, 0, 0] not in others
    assert len(set(others)) == len(others) == 6


@pytest.mark.parametrize("name", LAYOUTS)
def test_edge_of_nodata_has_the_bytes_of_a_whole_tile_of_it(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(700, 515), LAYOUTS[name], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    pixels[BLOCK:] = layout.nodata
    pixels[:, BLOCK:] = layout.nodata
    write_cog(path, on, layout, pixels)
    tiles = tile_bytes(path)
    assert tiles[0, 0, 1] == tiles[0, 1, 0] == tiles[0, 1, 1] != tiles[0, 0, 0]


@settings(max_examples=20)
@given(
    row=st.integers(0, BLOCK - 1),
    column=st.integers(0, BLOCK - 1),
    tile=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    name=st.sampled_from(sorted(LAYOUTS)),
)
@example(0, 0, (1, 1), "float32")
@example(0, 1, (0, 0), "classes")
@example(BLOCK - 1, BLOCK - 1, (1, 0), "uint16")
def test_one_pixel_in_a_tile_of_nodata_is_kept(row: int, column: int, tile: tuple[int, int], name: str) -> None:
    on, layout = grid(2 * BLOCK, 2 * BLOCK), LAYOUTS[name]
    pixels = np.full(on.shape, layout.nodata, layout.dtype)
    pixels[tile[0] * BLOCK + row, tile[1] * BLOCK + column] = 1
    with TemporaryDirectory() as folder:
        path = Path(folder, "result.tif")
        write_cog(path, on, layout, pixels)
        np.testing.assert_array_equal(read_tif(path), pixels)
        levels, tiles = decode_pages(path), tile_bytes(path)
    assert [np.count_nonzero(~is_nodata(level, layout)) for level in levels] == [1, 1]
    assert len({tiles[place] for place in tiles if place[0] == 0}) == 2


@pytest.mark.parametrize("name", LAYOUTS)
def test_tile_whose_first_pixel_alone_is_nodata_is_kept(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(BLOCK, BLOCK), LAYOUTS[name], tmp_path / "result.tif"
    pixels = np.ones(on.shape, layout.dtype)
    pixels[0, 0] = layout.nodata
    write_cog(path, on, layout, pixels)
    np.testing.assert_array_equal(read_tif(path), pixels)


@dataclass(frozen=True, kw_only=True)
class CountingCodec(TileCodec):
    """Keeps the tiles that it encodes."""

    encoded: list[PixelArray] = field(default_factory=list)

    def encode(self, tile: PixelArray) -> bytes:
        self.encoded.append(tile)
        return super().encode(tile)


@pytest.mark.parametrize("name", LAYOUTS)
def test_tiles_of_nodata_are_encoded_once(tmp_path: Path, name: str) -> None:
    on, layout = grid(2048, 2048), LAYOUTS[name]
    predictor = predictor_for(layout.dtype, has_palette=bool(layout.palette))
    codec = CountingCodec(compression="deflate", predictor=predictor)
    pyramid = Pyramid.create(tmp_path / "result.tif", on.shape, layout, codec)
    for window in on.windows(WINDOW):
        pixels = np.full((int(window.height), int(window.width)), layout.nodata, layout.dtype)
        pyramid.add(int(window.row_off), int(window.col_off), pixels)
    assert pyramid.is_whole
    assert len(codec.encoded) == 1
    pyramid.remove()
