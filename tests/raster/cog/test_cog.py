"""Writing a COG: valid and exact at every size and in every reader."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.shutil import copy as copy_raster
from rio_tiler.io import Reader
from tifffile import TiffFile

from processing.raster.cog import CogWriter, WrittenCog, ifd
from processing.raster.cog import write_cog as write_whole_cog
from processing.raster.gdal import gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.types import Compression, PixelArray, PixelFormat
from tests.raster.support.cogs import (
    COMPRESSIONS,
    FORMATS,
    TAGS,
    assert_gdal_reads,
    assert_tifffile_reads,
    is_one_wide_column,
    is_valid,
    pixels_for,
    write_cog,
)
from tests.raster.support.rasters import NORTH, WEST, grid, read_tif, write_tif
from tests.raster.support.tile_decoding import decode_pages, decode_tiles, pages_of

AROUND_TILES_AND_WINDOWS = (1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1026, 1536, 2047, 2048, 2049, 2200)
SIDES = st.one_of(st.sampled_from(AROUND_TILES_AND_WINDOWS), st.integers(1, 2200))


def write_by_threads(
    path: Path, on: Grid, layout: PixelFormat, pixels: PixelArray, compression: Compression, seed: int
) -> WrittenCog:
    """By four threads, the windows in random order."""
    with gdal_environment(), CogWriter(path, on, layout, TAGS, compression) as writer:
        windows = list(writer.windows())
        shuffled = [windows[index] for index in np.random.default_rng(seed).permutation(len(windows))]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda window: writer.write(window, pixels[window.toslices()]), shuffled))
        writer.write_overviews()
        return writer.finish()


@settings(max_examples=40)
@given(
    width=SIDES,
    height=SIDES,
    name=st.sampled_from(sorted(FORMATS)),
    compression=st.sampled_from(COMPRESSIONS),
    seed=st.integers(0, 99),
)
@example(1, 1, "float32", "deflate", 0)
@example(7, 3, "palette", "zstd", 0)
@example(512, 512, "uint16", "deflate", 0)
@example(512, 1500, "float32", "deflate", 0)
@example(1500, 512, "classes", "deflate", 0)
@example(1025, 1023, "uint16", "zstd", 0)
@example(2049, 1025, "palette", "deflate", 0)
def test_cog_of_any_size_is_valid_and_holds_exactly_the_pixels(
    width: int, height: int, name: str, compression: Compression, seed: int
) -> None:
    on, layout = grid(width, height), FORMATS[name]
    pixels = pixels_for(layout, on)
    with TemporaryDirectory() as folder:
        path, other = Path(folder, "result.tif"), Path(folder, "other.tif")
        written = write_cog(path, on, layout, pixels, compression)
        assert is_valid(path) or is_one_wide_column(on)
        assert_gdal_reads(path, on, layout, pixels)
        assert_tifffile_reads(path, pixels)
        content = path.read_bytes()
        assert written == WrittenCog(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        # The checksums may differ: of two matches of equal length, the compressor of another thread may take the other.
        by_threads = write_by_threads(other, on, layout, pixels, compression, seed)
        assert by_threads.sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
        for mine, its in zip(decode_pages(other), decode_pages(path), strict=True):
            np.testing.assert_array_equal(mine, its)
        assert sorted(Path(folder).iterdir()) == [other, path]


@pytest.mark.parametrize("height", [512, 513, 2049])
def test_column_of_single_pixels_is_as_valid_as_what_gdal_writes(tmp_path: Path, height: int) -> None:
    on, layout, path = grid(1, height), FORMATS["uint16"], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    plain = write_tif(tmp_path / "plain.tif", pixels, on, nodata=layout.nodata)
    copy_raster(plain, tmp_path / "theirs.tif", driver="COG")
    assert is_valid(path) == is_valid(tmp_path / "theirs.tif") == (height == 512)
    np.testing.assert_array_equal(read_tif(path), pixels)


@pytest.mark.parametrize("height", [1, 511, 512, 513, 700, 1024, 1025, 1500])
@pytest.mark.parametrize("width", [512, 1024, 1025, 2048])
def test_levels_exactly_as_wide_as_a_tile_are_valid_too(tmp_path: Path, width: int, height: int) -> None:
    # Some validators take a raster whose tiles are as wide as itself for an untiled one.
    on, layout, path = grid(width, height), FORMATS["classes"], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    assert is_valid(path)
    np.testing.assert_array_equal(read_tif(path), pixels)
    with TiffFile(path) as file:
        for page in pages_of(file):
            assert page.is_tiled
            assert page.tilewidth == page.tilelength
            assert page.tilewidth != page.imagewidth or page.imagelength <= page.tilelength


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_tiles_beyond_the_edge_are_filled_with_nodata(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(700, 515), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    with TiffFile(path) as file:
        for page in pages_of(file):
            tiles = decode_tiles(page, path.read_bytes())
            tiles[: page.imagelength, : page.imagewidth] = layout.nodata
            np.testing.assert_array_equal(tiles, np.full_like(tiles, layout.nodata))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_rio_tiler_reads_parts_and_statistics(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(1300, 900), FORMATS[name], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    valid = ~np.isnan(pixels) if layout.dtype == "float32" else pixels != layout.nodata
    rows, columns = slice(400, 600), slice(900, 1200)
    west, north = on.transform @ (columns.start, rows.start)
    east, south = on.transform @ (columns.stop, rows.stop)
    with Reader(str(path)) as reader:
        part = reader.part((west, south, east, north), dst_crs=on.crs, bounds_crs=on.crs)
        whole = reader.statistics(max_size=None)["b1"]
        from_overview = reader.statistics(max_size=650)["b1"]
    np.testing.assert_array_equal(part.array.data[0][valid[rows, columns]], pixels[rows, columns][valid[rows, columns]])
    np.testing.assert_array_equal(~part.array.mask[0], valid[rows, columns])
    values = pixels[valid].astype(np.float64)
    assert (whole.min, whole.max) == (values.min(), values.max())
    assert whole.mean == pytest.approx(values.mean(), rel=1e-4, abs=1e-6)
    assert whole.valid_pixels == values.size
    assert from_overview.mean == pytest.approx(values.mean(), rel=0.02, abs=0.005)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_big_tiff_is_read_like_a_classic_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, compression: Compression
) -> None:
    monkeypatch.setattr(ifd, "_CLASSIC_LIMIT", 0)
    on, layout, path = grid(1025, 1300), FORMATS[name], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels, compression)
    assert is_valid(path)
    assert_gdal_reads(path, on, layout, pixels)
    assert_tifffile_reads(path, pixels)
    with TiffFile(path) as file:
        assert file.is_bigtiff


def test_raster_in_memory_is_written_as_a_whole_with_a_classic_header(tmp_path: Path) -> None:
    on, layout, path = grid(1100, 1030), FORMATS["uint16"], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    written = write_whole_cog(path, on, pixels, layout)
    np.testing.assert_array_equal(read_tif(path), pixels)
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with TiffFile(path) as file:
        assert not file.is_bigtiff


def test_grid_in_degrees_and_turned_grid_are_written(tmp_path: Path) -> None:
    degrees = Grid(crs=rasterio.CRS.from_epsg(4326), transform=Affine(0.001, 0, 10, 0, -0.002, 50), width=9, height=8)
    turned = Grid(
        crs=grid(9, 8).crs,
        transform=Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(10, -10),
        width=9,
        height=8,
    )
    for number, on in enumerate((degrees, turned)):
        path = tmp_path / f"{number}.tif"
        write_cog(path, on, FORMATS["float32"], pixels_for(FORMATS["float32"], on))
        with rasterio.open(path) as file:
            written = Grid.of(file)
        assert (written.offset_in(on), on.offset_in(written)) == ((0, 0), (0, 0))


def test_windows_are_aligned_to_the_grid_and_cover_it_once(tmp_path: Path) -> None:
    on = grid(2100, 1500)
    with CogWriter(tmp_path / "result.tif", on, FORMATS["classes"]) as writer:
        windows = list(writer.windows())
    times = np.zeros(on.shape, int)
    for window in windows:
        assert (window.col_off % windows[0].width, window.row_off % windows[0].height) == (0, 0)
        times[window.toslices()] += 1
    assert (times == 1).all()


def test_windows_in_any_order_make_the_same_bytes(tmp_path: Path) -> None:
    on, layout = grid(2300, 2100), FORMATS["float32"]
    pixels = pixels_for(layout, on)
    windows = list(on.windows(1024))
    orders = [windows, windows[::-1], [windows[at] for at in np.random.default_rng(1).permutation(len(windows))]]
    written = {
        write_cog(tmp_path / f"{number}.tif", on, layout, pixels, "deflate", order).sha256
        for number, order in enumerate(orders)
    }
    assert len(written) == 1


def test_raster_may_hold_more_than_four_gib_of_pixels(tmp_path: Path) -> None:
    on, layout, path = grid(32_800, 32_800), FORMATS["float32"], tmp_path / "vast.tif"
    with gdal_environment(), CogWriter(path, on, layout, TAGS) as writer:
        for window in writer.windows():
            writer.write(window, np.full((int(window.height), int(window.width)), np.nan, np.float32))
        writer.write_overviews()
        writer.finish()
    with rasterio.open(path) as written:
        assert written.shape == on.shape
        assert written.shape[0] * written.shape[1] * 4 > 1 << 32
        assert written.transform == on.transform
