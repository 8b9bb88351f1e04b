"""Writing a COG: valid and exact at every size, and nothing on disk unless it is whole."""

import hashlib
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from affine import Affine
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from rio_cogeo import cog_validate
from tifffile import TiffFile

from processing.raster import cog
from processing.raster.cog import CogWriter, WrittenCog
from processing.raster.errors import ResultNotWritten, Stopped
from processing.raster.grid import Grid
from processing.raster.reading import gdal_environment
from processing.raster.types import Config, PixelArray, PixelFormat
from tests.raster.rasters import NORTH, WEST, grid, read_tif

CONFIG = Config(sandbox_dir=Path("unused"))
SIZES = [(1, 1), (7, 3), (300, 200), (512, 512), (700, 512), (513, 700), (1025, 1023), (2600, 611)]
PALETTE = ((0, 0, 0, 0), *((index, 255 - index, index // 2, 255) for index in range(1, 256)))
FORMATS = {
    "float32": PixelFormat(dtype="float32", nodata=float("nan"), overview_resampling="average", description="NDVI"),
    "palette": PixelFormat(
        dtype="uint8",
        nodata=0,
        overview_resampling="nearest",
        scale=1 / 127,
        offset=-1 - 1 / 127,
        description="NDVI",
        palette=PALETTE,
    ),
    "uint16": PixelFormat(
        dtype="uint16", nodata=0, overview_resampling="average", scale=1e-4, offset=-0.1, description="red"
    ),
}
TAGS = {"ASTRA_OPERATION": "ndvi", "ASTRA_SCENES": "sentinel-2:å"}


def pixels_for(layout: PixelFormat, on: Grid) -> PixelArray:
    """Random pixels with some nodata: noise, because what compresses well hides what was lost."""
    random = np.random.default_rng(on.width)
    if layout.dtype == "float32":
        values: npt.NDArray[np.float32] = random.uniform(-1, 1, on.shape).astype(np.float32)
    else:
        values = random.integers(1, np.iinfo(layout.dtype).max, on.shape).astype(layout.dtype)
    values[random.random(on.shape) < 0.1] = layout.nodata
    return values


def write_cog(path: Path, on: Grid, layout: PixelFormat, pixels: PixelArray, windows: list[Window]) -> WrittenCog:
    with gdal_environment(CONFIG), CogWriter(path, on, layout, TAGS) as writer:
        for window in windows:
            writer.write(window, pixels[window.toslices()])
        return writer.finish()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_cog_is_valid_and_says_exactly_what_was_written(tmp_path: Path, width: int, height: int, name: str) -> None:
    on, layout, path = grid(width, height), FORMATS[name], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    written = write_cog(path, on, layout, pixels, list(on.windows(1024)))
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(1), pixels)
        assert (file.count, file.dtypes, file.shape) == (1, (layout.dtype,), (height, width))
        assert (file.crs, file.transform) == (on.crs, on.transform)
        assert (file.scales, file.offsets) == ((layout.scale,), (layout.offset,))
        assert file.descriptions == (layout.description,)
        assert (file.nodata == layout.nodata) or (np.isnan(file.nodata) and np.isnan(layout.nodata))
        assert {**file.tags(), **TAGS} == file.tags()
        if layout.palette:
            assert file.colormap(1) == dict(enumerate(PALETTE))
    assert written == WrittenCog(
        path=path, size=path.stat().st_size, sha256=hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("height", [513, 700, 1500])
def test_image_exactly_as_wide_as_a_tile_is_written_too(tmp_path: Path, height: int) -> None:
    # The usual validators call such a file untiled because its tiles are as wide as the image: its tags tell.
    on, layout, path = grid(512, height), FORMATS["uint16"], tmp_path / "result.tif"
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels, list(on.windows(1024)))
    np.testing.assert_array_equal(read_tif(path), pixels)
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
    with TiffFile(path) as tiff:
        assert (tiff.pages[0].tilewidth, tiff.pages[0].tilelength) == (512, 512)


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
        write_cog(path, on, FORMATS["float32"], pixels_for(FORMATS["float32"], on), list(on.windows(512)))
        with rasterio.open(path) as file:
            written = Grid.of(file)
        assert (written.offset_in(on), on.offset_in(written)) == ((0, 0), (0, 0))


def test_overviews_leave_nodata_out_of_the_average(tmp_path: Path) -> None:
    on, layout, path = grid(1024, 1024), FORMATS["float32"], tmp_path / "result.tif"
    pixels = np.full(on.shape, 0.5, np.float32)
    pixels[:, ::2] = np.nan
    write_cog(path, on, layout, pixels, list(on.windows(1024)))
    with rasterio.open(path, overview_level=0) as overview:
        assert (overview.read(1) == 0.5).all()


def test_windows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    on, layout = grid(1300, 1100), FORMATS["float32"]
    pixels = pixels_for(layout, on)
    windows = list(on.windows(512))
    shuffled = [windows[index] for index in np.random.default_rng(1).permutation(len(windows))]
    one = write_cog(tmp_path / "one.tif", on, layout, pixels, windows)
    other = write_cog(tmp_path / "other.tif", on, layout, pixels, shuffled)
    assert one.sha256 == other.sha256


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
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_named_as_a_result_not_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ResultNotWritten),
        gdal_environment(CONFIG),
        CogWriter(tmp_path / "gone" / "result.tif", grid(5, 5), FORMATS["uint16"]),
    ):
        raise AssertionError("the body must not run")
    assert list(tmp_path.iterdir()) == []


def tile_of(path: Path, page: int) -> tuple[int, int]:
    """Place and length of the first tile of the file's full image (0) or of an overview."""
    with TiffFile(path) as file:
        return file.pages[page].dataoffsets[0], file.pages[page].databytecounts[0]


def spoil(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * length)


def spoil_image(path: Path) -> None:
    start, length = tile_of(path, 0)
    spoil(path, start + length // 2, 64)


def spoil_overview(path: Path) -> None:
    start, length = tile_of(path, 1)
    spoil(path, start + length // 2, 64)


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap_pixels(path: Path) -> None:
    with rasterio.open(path) as file:
        profile, pixels = file.profile, file.read(1)
    pixels[-1, -1] += 1
    plain = path.with_suffix(".swapped")
    with rasterio.open(plain, "w", **{**profile, "driver": "GTiff"}) as file:
        file.write(pixels, 1)
    copy_raster(plain, path, driver="COG", blocksize=512, compress="DEFLATE")
    plain.unlink()


def lay_out_plainly(path: Path) -> None:
    with rasterio.open(path) as file:
        profile, pixels = file.profile, file.read(1)
    with rasterio.open(path, "w", **{**profile, "driver": "GTiff", "tiled": False}) as file:
        file.write(pixels, 1)


@pytest.mark.parametrize("harm", [spoil_image, spoil_overview, cut_short, empty, swap_pixels, lay_out_plainly])
def test_file_that_was_harmed_behind_its_back_never_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    on, layout = grid(1100, 900), FORMATS["uint16"]
    pixels = pixels_for(layout, on)

    def copy_and_harm(source: Path, target: Path, **options: str | int) -> None:
        copy_raster(source, target, **options)
        harm(target)

    monkeypatch.setattr(cog, "copy_raster", copy_and_harm)
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels, list(on.windows(1024)))
    assert list(tmp_path.iterdir()) == []


WRITES_UNDER_A_LIMIT = textwrap.dedent(
    """
    import resource, signal, sys
    from pathlib import Path

    import numpy as np

    from processing.raster.cog import CogWriter
    from processing.raster.errors import ResultNotWritten
    from processing.raster.reading import gdal_environment
    from processing.raster.types import Config, PixelFormat
    from tests.raster.rasters import grid

    path, limit = Path(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    on = grid(1024, 1024)
    pixels = np.random.default_rng(2).integers(1, 255, on.shape).astype(np.uint8)
    layout = PixelFormat(dtype="uint8", nodata=0, overview_resampling="nearest")
    try:
        with gdal_environment(Config(sandbox_dir=path.parent)), CogWriter(path, on, layout) as writer:
            for window in on.windows(512):
                writer.write(window, pixels[window.toslices()])
            writer.finish()
    except ResultNotWritten:
        sys.exit(3)
    """
)
# The image takes 1 MiB as it is gathered and, with its overviews, 1.3 MiB as a COG.
ENOUGH = 8 << 20


def run_under_a_limit(folder: Path, limit: int) -> int:
    command = [sys.executable, "-c", WRITES_UNDER_A_LIMIT, str(folder / "result.tif"), str(limit)]
    return subprocess.run(command, check=False, timeout=60, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize("limit", [0, 1000, 300_000, 700_000, 1_100_000, 1_250_000])
def test_full_disk_is_told_and_leaves_nothing(tmp_path: Path, limit: int) -> None:
    assert run_under_a_limit(tmp_path, limit) == 3
    assert list(tmp_path.iterdir()) == []


def test_same_file_is_written_where_there_is_room(tmp_path: Path) -> None:
    assert run_under_a_limit(tmp_path, ENOUGH) == 0
    assert read_tif(tmp_path / "result.tif").shape == (1024, 1024)
    assert (tmp_path / "result.tif").stat().st_size > 1_250_000
