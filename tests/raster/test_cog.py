"""Writing a COG: valid and exact at every size, in every reader, and nothing on disk unless it is whole."""

import errno
import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from rio_cogeo import cog_validate
from rio_tiler.io import Reader
from tifffile import TiffFile

from processing.raster import geotiff
from processing.raster.cog import CogWriter, WrittenCog, is_cog
from processing.raster.cog import write_cog as write_whole_cog
from processing.raster.errors import ResultNotWritten, Stopped
from processing.raster.grid import Grid
from processing.raster.reading import gdal_environment
from processing.raster.tiles import Compression
from processing.raster.types import Config, PixelArray, PixelFormat
from tests.raster.rasters import NORTH, WEST, grid, read_tif, write_tif
from tests.raster.tile_decoding import decode_pages, decode_tiles

CONFIG = Config(sandbox_dir=Path("unused"))
COMPRESSIONS: tuple[Compression, ...] = ("deflate", "zstd")
PALETTE = ((0, 0, 0, 0), *((index, 255 - index, index // 2, 255) for index in range(1, 256)))
CLASS_PALETTE = ((200, 10, 10, 255), (10, 200, 10, 255), (10, 10, 200, 255))
FORMATS = {
    "float32": PixelFormat(dtype="float32", nodata=float("nan"), overview_resampling="average", description="NDVI"),
    "palette": PixelFormat(
        dtype="uint8",
        nodata=0,
        overview_resampling="average",
        scale=1 / 127,
        offset=-1 - 1 / 127,
        description="NDVI",
        palette=PALETTE,
    ),
    "classes": PixelFormat(
        dtype="uint8",
        nodata=255,
        overview_resampling="mode",
        description="change",
        palette=CLASS_PALETTE,
        class_names=("loss", "no change", "gain"),
    ),
    "uint16": PixelFormat(
        dtype="uint16", nodata=0, overview_resampling="average", scale=1e-4, offset=-0.1, description="red"
    ),
}
TAGS = {"ASTRA_OPERATION": "ndvi", "ASTRA_SCENES": "sentinel-2:å"}

AROUND_TILES_AND_WINDOWS = (1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1026, 1536, 2047, 2048, 2049, 2200)
SIDES = st.one_of(st.sampled_from(AROUND_TILES_AND_WINDOWS), st.integers(1, 2200))


def pixels_for(layout: PixelFormat, on: Grid) -> PixelArray:
    """Random pixels with some nodata: noise, because what compresses well hides what was lost."""
    random = np.random.default_rng(on.width)
    if layout.dtype == "float32":
        values: npt.NDArray[np.float32] = random.uniform(-1, 1, on.shape).astype(np.float32)
    elif layout.class_names:
        values = random.integers(0, len(layout.class_names), on.shape).astype(layout.dtype)
    else:
        values = random.integers(1, np.iinfo(layout.dtype).max, on.shape, endpoint=True).astype(layout.dtype)
    values[random.random(on.shape) < 0.1] = layout.nodata
    return values


def write_cog(
    path: Path,
    on: Grid,
    layout: PixelFormat,
    pixels: PixelArray,
    compression: Compression = "deflate",
    windows: Sequence[Window] | None = None,
) -> WrittenCog:
    with gdal_environment(CONFIG), CogWriter(path, on, layout, TAGS, compression) as writer:
        for window in windows or writer.windows():
            writer.write(window, pixels[window.toslices()])
        return writer.finish()


def write_by_threads(
    path: Path, on: Grid, layout: PixelFormat, pixels: PixelArray, compression: Compression, seed: int
) -> WrittenCog:
    """Four threads, windows in an order of chance."""
    with gdal_environment(CONFIG), CogWriter(path, on, layout, TAGS, compression) as writer:
        windows = list(writer.windows())
        shuffled = [windows[index] for index in np.random.default_rng(seed).permutation(len(windows))]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda window: writer.write(window, pixels[window.toslices()]), shuffled))
        return writer.finish()


def is_valid(path: Path) -> bool:
    return bool(cog_validate(path, strict=True, quiet=True) == (True, [], []))


def is_one_wide_column(on: Grid) -> bool:
    """The validator takes an overview's factor from the widths, and wants overviews: no such raster can please it."""
    return on.width == 1 and on.height > 512


def assert_gdal_reads(path: Path, on: Grid, layout: PixelFormat, pixels: PixelArray) -> None:
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), pixels)
        assert (file.count, file.dtypes, file.shape) == (1, (layout.dtype,), on.shape)
        assert (file.crs, file.transform) == (on.crs, on.transform)
        assert (file.scales, file.offsets) == ((layout.scale,), (layout.offset,))
        assert file.descriptions == (layout.description,)
        assert (file.nodata == layout.nodata) or (np.isnan(file.nodata) and np.isnan(layout.nodata))
        assert {**file.tags(), **TAGS} == file.tags()
        class_tags = {f"CLASS_{code}": name for code, name in enumerate(layout.class_names)}
        assert {name: text for name, text in file.tags(1).items() if name.startswith("CLASS_")} == class_tags
        if layout.palette:
            colors = file.colormap(1)
            assert [colors[code] for code in range(len(layout.palette))] == list(layout.palette)


def assert_tifffile_reads(path: Path, pixels: PixelArray) -> None:
    """Its directories lead to the pixels; it decodes them itself where it has what that takes."""
    """Its directories lead to the pixels, by our own decoding and by its own."""
    with TiffFile(path) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), pixels)


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
def test_cog_of_any_size_is_valid_and_says_exactly_what_was_written(
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
        assert write_by_threads(other, on, layout, pixels, compression, seed).sha256 == written.sha256
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
    # Validators call a raster untiled whose tiles are as wide as itself.
    on, layout, path = grid(width, height), FORMATS["classes"], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    assert is_valid(path)
    np.testing.assert_array_equal(read_tif(path), pixels)
    with TiffFile(path) as file:
        assert all(page.is_tiled and page.tilewidth == page.tilelength for page in file.pages)
        assert [page.tilewidth for page in file.pages] == [
            256 if page.imagewidth == 512 < page.imagelength else 512 for page in file.pages
        ]


@pytest.mark.parametrize(("width", "height"), [(513, 700), (1025, 1023), (2049, 600), (2200, 2111)])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_overviews_decode_to_what_gdal_reads_and_halve_until_a_tile_is_enough(
    tmp_path: Path, width: int, height: int, name: str
) -> None:
    on, layout, path = grid(width, height), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    levels = decode_pages(path)[1:]
    for index, pixels in enumerate(levels):
        assert pixels.shape == (-(-height // 2 ** (index + 1)), -(-width // 2 ** (index + 1)))
        with rasterio.open(path, overview_level=index) as overview:
            np.testing.assert_array_equal(overview.read(1), pixels)
    assert max(levels[-1].shape) <= 512 < max((height, width) if len(levels) == 1 else levels[-2].shape)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_overviews_say_what_their_pixels_mean(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(1025, 1100), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    with TiffFile(path) as file:
        assert len(file.pages) == 3
        for page in file.pages:
            np.testing.assert_array_equal(page.nodata, layout.nodata)
            assert page.dtype == layout.dtype
            np.testing.assert_array_equal(page.colormap, file.pages[0].colormap)
        assert [page.is_reduced for page in file.pages] == [False, True, True]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_tiles_are_filled_up_with_nodata(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(700, 515), FORMATS[name], tmp_path / "result.tif"
    write_cog(path, on, layout, pixels_for(layout, on))
    with TiffFile(path) as file:
        for page in file.pages:
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
    numbers = pixels[valid].astype(np.float64)
    assert (whole.min, whole.max) == (numbers.min(), numbers.max())
    assert whole.mean == pytest.approx(numbers.mean(), rel=1e-4, abs=1e-6)
    assert whole.valid_pixels == numbers.size
    assert from_overview.mean == pytest.approx(numbers.mean(), rel=0.02, abs=0.005)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_big_tiff_is_read_like_a_classic_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, compression: Compression
) -> None:
    monkeypatch.setattr(geotiff, "_CLASSIC_LIMIT", 0)
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


def test_grid_in_degrees_and_grid_without_code_are_written(tmp_path: Path) -> None:
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


def first_overview(path: Path) -> PixelArray:
    with rasterio.open(path, overview_level=0) as overview:
        pixels: PixelArray = overview.read(1)
        return pixels


def quarters(pixels: PixelArray) -> PixelArray:
    """The four pixels under each pixel of the first overview: (4, rows, columns)."""
    return np.stack([pixels[row::2, column::2] for row in (0, 1) for column in (0, 1)])


def smooth_pixels(layout: PixelFormat, on: Grid) -> PixelArray:
    """Patches with holes and ragged edges, so that most pixels have alike and some have unlike neighbours."""
    random = np.random.default_rng(5)
    coarse = pixels_for(layout, grid(on.width // 3 + 1, on.height // 3 + 1))
    pixels = coarse.repeat(3, axis=0).repeat(3, axis=1)[: on.height, : on.width].copy()
    pixels[random.random(on.shape) < 0.2] = layout.nodata
    return pixels


@pytest.mark.parametrize("make", [pixels_for, smooth_pixels])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_first_overview_is_what_gdal_makes_of_the_same_pixels(
    tmp_path: Path, name: str, make: Callable[[PixelFormat, Grid], PixelArray]
) -> None:
    # Without the palette: GDAL would average its colors and look for the nearest index.
    on, layout = grid(1400, 1100), FORMATS[name]
    pixels = make(layout, on)
    write_cog(tmp_path / "ours.tif", on, layout, pixels)
    plain = write_tif(tmp_path / "plain.tif", pixels, on, nodata=layout.nodata)
    copy_raster(plain, tmp_path / "theirs.tif", driver="COG", overview_resampling=layout.overview_resampling)
    ours, theirs = (first_overview(tmp_path / f"{who}.tif") for who in ("ours", "theirs"))
    assert ours.shape == theirs.shape == (550, 700)
    if layout.dtype == "float32":
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
        return
    np.testing.assert_array_equal(ours == layout.nodata, theirs == layout.nodata)
    if layout.overview_resampling == "average":
        assert np.abs(ours.astype(int) - theirs).max() <= 1
        return
    four = quarters(pixels)
    votes = np.stack([np.count_nonzero(four == code, axis=0) for code in range(len(layout.class_names))])
    decided = votes.max(axis=0) * 2 > votes.sum(axis=0)
    assert decided.mean() > 0.3
    np.testing.assert_array_equal(ours[decided], theirs[decided])


@pytest.mark.parametrize("name", ["palette", "uint16"])
def test_valid_mean_never_becomes_nodata(tmp_path: Path, name: str) -> None:
    on, layout, path = grid(1024, 1024), FORMATS[name], tmp_path / "result.tif"
    pixels = np.random.default_rng(7).choice([0, 0, 0, 1, 2], on.shape).astype(layout.dtype)
    write_cog(path, on, layout, pixels)
    np.testing.assert_array_equal(first_overview(path) == 0, (quarters(pixels) == 0).all(axis=0))


def test_indices_of_a_palette_are_averaged_as_indices_not_as_colors(tmp_path: Path) -> None:
    # Halfway between the colors of 10 and 30 lies the color of 200.
    colors = [(0, 0, 0, 0), *((1, 1, 1, 255) for _ in range(255))]
    colors[10], colors[30], colors[200] = (100, 0, 0, 255), (200, 0, 0, 255), (150, 0, 0, 255)
    layout = PixelFormat(dtype="uint8", nodata=0, overview_resampling="average", palette=tuple(colors))
    on, path = grid(1024, 1024), tmp_path / "result.tif"
    pixels = np.full(on.shape, 10, np.uint8)
    pixels[:, ::2] = 30
    write_cog(path, on, layout, pixels)
    assert (first_overview(path) == 20).all()


def test_overviews_leave_nodata_out_of_the_average(tmp_path: Path) -> None:
    on, layout, path = grid(1024, 1024), FORMATS["float32"], tmp_path / "result.tif"
    pixels = np.full(on.shape, 0.5, np.float32)
    pixels[:, ::2] = np.nan
    write_cog(path, on, layout, pixels)
    assert (first_overview(path) == 0.5).all()


def test_windows_are_aligned_to_the_grid_and_cover_it_once(tmp_path: Path) -> None:
    on = grid(2100, 1500)
    with CogWriter(tmp_path / "result.tif", on, FORMATS["classes"]) as writer:
        windows = list(writer.windows())
    times = np.zeros(on.shape, int)
    for window in windows:
        assert (window.col_off % 1024, window.row_off % 1024) == (0, 0)
        times[window.toslices()] += 1
    assert (times == 1).all()


def test_windows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    on, layout = grid(2300, 2100), FORMATS["float32"]
    pixels = pixels_for(layout, on)
    windows = list(on.windows(1024))
    orders = [windows, windows[::-1], [windows[at] for at in np.random.default_rng(1).permutation(len(windows))]]
    written = {
        write_cog(tmp_path / f"{number}.tif", on, layout, pixels, "deflate", order).sha256
        for number, order in enumerate(orders)
    }
    assert len(written) == 1


def test_new_result_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    on, layout, path = grid(30, 20), FORMATS["uint16"], tmp_path / "result.tif"
    path.write_bytes(b"older")
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    np.testing.assert_array_equal(read_tif(path), pixels)


def test_nothing_is_left_when_the_body_raises(tmp_path: Path) -> None:
    def begin_and_stop() -> None:
        on, layout = grid(600, 600), FORMATS["uint16"]
        with gdal_environment(CONFIG), CogWriter(tmp_path / "result.tif", on, layout) as writer:
            writer.write(Window(0, 0, 600, 600), pixels_for(layout, on))
            raise Stopped

    with pytest.raises(Stopped):
        begin_and_stop()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_finish_is_never_called(tmp_path: Path) -> None:
    on, layout = grid(600, 600), FORMATS["uint16"]
    with gdal_environment(CONFIG), CogWriter(tmp_path / "result.tif", on, layout) as writer:
        writer.write(Window(0, 0, 600, 600), pixels_for(layout, on))
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_file_with_a_window_missing_never_appears(tmp_path: Path, missing: int) -> None:
    on, layout = grid(2000, 1500), FORMATS["uint16"]
    windows = list(on.windows(1024))
    del windows[missing]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on), "deflate", windows)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_named_as_a_result_not_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ResultNotWritten),
        gdal_environment(CONFIG),
        CogWriter(tmp_path / "gone" / "result.tif", grid(5, 5), FORMATS["uint16"]),
    ):
        raise AssertionError("the body must not run")
    assert list(tmp_path.iterdir()) == []


def test_result_that_cannot_be_put_in_place_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    on, layout, path = grid(5, 5), FORMATS["uint16"], tmp_path / "result.tif"
    path.mkdir()
    with pytest.raises(ResultNotWritten):
        write_cog(path, on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_is_not_laid_out_as_a_cog_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geotiff, "GHOST_AREA", b"")
    on, layout = grid(600, 500), FORMATS["uint16"]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


def test_cog_is_told_from_a_plain_file(tmp_path: Path) -> None:
    on, layout = grid(600, 500), FORMATS["uint16"]
    pixels = pixels_for(layout, on)
    plain = write_tif(tmp_path / "plain.tif", pixels, on)
    for name, options in {
        "whole": {},
        "no_overviews": {"overviews": "NONE"},
        "large_tiles": {"blocksize": 1024},
    }.items():
        copy_raster(plain, tmp_path / f"{name}.tif", driver="COG", **options)
    write_cog(tmp_path / "ours.tif", on, layout, pixels)
    found = {path.stem: is_cog(path) for path in tmp_path.iterdir()}
    assert found == {"ours": True, "whole": True, "plain": False, "no_overviews": False, "large_tiles": False}


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def cut_off_its_last_byte(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def spoil_pixels(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        flipped = bytes(byte ^ 0xFF for byte in file.read(64))
        file.seek(-64, os.SEEK_CUR)
        file.write(flipped)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more" * 10_000)  # than still waits in memory, to be written over it


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("harm", [cut_short, cut_off_its_last_byte, empty, spoil_pixels, lengthen])
def test_file_whose_tiles_were_harmed_behind_its_back_never_appears(
    tmp_path: Path, harm: Callable[[Path], None], level: int
) -> None:
    on, layout = grid(1100, 900), FORMATS["uint16"]
    pixels = pixels_for(layout, on)

    def write_harm_and_finish() -> None:
        with gdal_environment(CONFIG), CogWriter(tmp_path / "result.tif", on, layout, TAGS) as writer:
            for window in writer.windows():
                writer.write(window, pixels[window.toslices()])
            harm(tmp_path / f".result.tif.{level}.tiles")
            writer.finish()

    with pytest.raises(ResultNotWritten):
        write_harm_and_finish()
    assert list(tmp_path.iterdir()) == []


def put_full_device_at(path: Path) -> None:
    """What is written to `path` from now on meets a disk without room."""
    path.symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("ending", ["0.tiles", "1.tiles", "part"])
@pytest.mark.parametrize("name", ["float32", "classes"])
def test_disk_without_room_is_told_and_leaves_nothing(tmp_path: Path, ending: str, name: str) -> None:
    put_full_device_at(tmp_path / f".result.tif.{ending}")
    on, layout = grid(700, 600), FORMATS[name]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_disk_without_room_does_not_hide_why_the_body_ended(tmp_path: Path) -> None:
    # So few bytes wait in memory until the file is closed.
    put_full_device_at(tmp_path / ".result.tif.0.tiles")
    on, layout = grid(20, 10), FORMATS["uint16"]

    def begin_and_stop() -> None:
        with CogWriter(tmp_path / "result.tif", on, layout) as writer:
            writer.write(Window(0, 0, 20, 10), np.full(on.shape, 7, np.uint16))
            raise Stopped

    with pytest.raises(Stopped):
        begin_and_stop()
    assert list(tmp_path.iterdir()) == []


class FailingFile:
    """An open file whose `method` fails after `calls` calls; in all else it is the file itself."""

    def __init__(self, file: Any, method: str, calls: int) -> None:
        self._file, self._method, self._calls = file, method, calls

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._file, name)

    def __enter__(self) -> "FailingFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _fail(self, *values: Any) -> Any:
        self._calls -= 1
        if self._calls < 0:
            raise OSError(errno.EIO, "Input/output error")
        return getattr(self._file, self._method)(*values)


@pytest.mark.parametrize(
    ("ending", "method", "calls"),
    [
        (".tiles", "write", 0),
        (".tiles", "write", 3),
        (".tiles", "seek", 0),
        (".tiles", "readinto", 0),
        (".part", "write", 0),
        (".part", "write", 1),
        (".part", "write", 3),
    ],
)
def test_failing_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, method: str, calls: int
) -> None:
    open_file = Path.open

    def open_failing(path: Path, mode: str = "r", *options: Any, **named: Any) -> Any:
        file = open_file(path, mode, *options, **named)
        return FailingFile(file, method, calls) if path.name.endswith(ending) else file

    monkeypatch.setattr(Path, "open", open_failing)
    on, layout = grid(1100, 900), FORMATS["uint16"]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


WRITES_UNDER_A_LIMIT = textwrap.dedent(
    """
    import resource, signal, sys
    from pathlib import Path

    import numpy as np

    from processing.raster.cog import CogWriter
    from processing.raster.errors import ResultNotWritten
    from processing.raster.types import PixelFormat
    from tests.raster.rasters import grid

    path, highest, tag_bytes, limit = Path(sys.argv[1]), *map(int, sys.argv[2:])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    on = grid(1024, 1024)
    pixels = np.random.default_rng(2).integers(1, highest, on.shape, endpoint=True).astype(np.uint8)
    layout = PixelFormat(dtype="uint8", nodata=0, overview_resampling="average")
    try:
        with CogWriter(path, on, layout, {"ASTRA": "x" * tag_bytes}) as writer:
            for window in writer.windows():
                writer.write(window, pixels[window.toslices()])
            writer.finish()
    except ResultNotWritten:
        sys.exit(3)
    """
)
ENOUGH = 8 << 20
# Its tiles take 1 MiB as they are gathered and, with the overview, 1.3 MiB in the final file.
NOISE = 254, 0
# Its tiles take next to nothing, so that a limit can let them pass and hit each part of the final file.
PLAIN_WITH_LONG_TAGS = 1, 100_000


def run_under_a_limit(folder: Path, raster: tuple[int, int], limit: int) -> int:
    command = [sys.executable, "-c", WRITES_UNDER_A_LIMIT, folder / "result.tif", *raster, limit]
    done = subprocess.run([str(part) for part in command], check=False, timeout=60, cwd=Path(__file__).parents[2])
    return done.returncode


@pytest.mark.parametrize("limit", [0, 1000, 300_000, 1_000_000, 1_100_000, 1_250_000])
def test_full_disk_is_told_and_leaves_nothing(tmp_path: Path, limit: int) -> None:
    assert run_under_a_limit(tmp_path, NOISE, limit) == 3
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_up_within_any_part_of_the_final_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "result.tif"
    assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, ENOUGH) == 0
    with TiffFile(path) as file:
        full, overview = (page.dataoffsets[0] for page in file.pages)
    size = path.stat().st_size
    path.unlink()
    assert size - full < overview // 2 < overview < full < size
    for limit in (overview // 2, (overview + full) // 2, (full + size) // 2, size - 1):
        assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, limit) == 3
        assert list(tmp_path.iterdir()) == []
    assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, size) == 0


def test_same_file_is_written_where_there_is_room(tmp_path: Path) -> None:
    assert run_under_a_limit(tmp_path, NOISE, ENOUGH) == 0
    assert read_tif(tmp_path / "result.tif").shape == (1024, 1024)
    assert (tmp_path / "result.tif").stat().st_size > 1_250_000
