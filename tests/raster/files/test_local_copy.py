"""Remote rasters by their local copies: the numbers that the same file gives from the disk, and few bytes of it."""

import errno
import os
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.windows import Window
from tifffile import TiffWriter

from processing.http import retry
from processing.raster.errors import LocalCopyNotWritten, ProviderUnavailable, SceneUnreadable
from processing.raster.files import local_copy
from processing.raster.files.local_copy import runs
from processing.raster.files.ranges import Span
from processing.raster.gdal import enter_gdal_environment
from processing.raster.reading import OpenRasters
from processing.raster.reading.raster_file import RasterFile
from processing.raster.types import Config, PixelArray, RemoteFile
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, grid, read_dn, read_window, write_tif
from tests.servers import RangeServer, _RangeHandler

pytestmark = pytest.mark.usefixtures("gdal")
SIDE = 700
RANDOM = np.random.default_rng(9)
NUMBERS: PixelArray = RANDOM.integers(1, 10_000, (SIDE, SIDE + 37), dtype=np.uint16)
TILES: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 128}


def remote(server: RangeServer, path: Path) -> tuple[RemoteFile, Config]:
    config = config_for(private_hosts=frozenset({server.host}))
    return RemoteFile(url=f"{server.url}/{path.name}"), config


def windows(count: int, shape: tuple[int, int] = NUMBERS.shape, most: int = 200) -> Iterator[tuple[slice, slice]]:
    for _ in range(count):
        top, left = (int(RANDOM.integers(0, side)) for side in shape)
        rows, columns = RANDOM.integers(1, most, 2).tolist()
        yield slice(top, min(top + rows, shape[0])), slice(left, min(left + columns, shape[1]))


def check_windows(server: RangeServer, path: Path) -> None:
    """The corners and some windows at random are those of the file on the disk."""
    source, config = remote(server, path)
    with described(band(source), config) as file, described(band(path), config) as local:
        assert (file.grid, file.block_shape, file.dtype) == (local.grid, local.block_shape, local.dtype)
        rows, columns = file.grid.shape
        corners = [(slice(0, 1), slice(0, 1)), (slice(rows - 1, rows), slice(columns - 1, columns))]
        for window in [*corners, *windows(8, file.grid.shape)]:
            np.testing.assert_array_equal(read_dn(file, *window), read_dn(local, *window))


# --- Layouts --------------------------------------------------------------------------------------------------------

LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": TILES,
    "strips": {"blockysize": 7},
    "one strip": {"blockysize": SIDE, "compress": "deflate"},
    "deflate": {**TILES, "compress": "deflate"},
    "lzw": {**TILES, "compress": "lzw", "predictor": 2},
    "zstd": {**TILES, "compress": "zstd", "predictor": 2},
    "deflated strips": {"compress": "deflate", "predictor": 2},
    "bigtiff": {**TILES, "compress": "deflate", "BIGTIFF": "YES"},
    "big endian": {**TILES, "ENDIANNESS": "BIG"},
    "big endian, packed": {"compress": "lzw", "predictor": 2, "ENDIANNESS": "BIG", "BIGTIFF": "YES"},
    "cog": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "DEFLATE", "PREDICTOR": "YES"},
    "cog, zstd": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "ZSTD"},
    "cog, uncompressed": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "NONE"},
    "floats": {**TILES, "compress": "deflate", "predictor": 3, "dtype": "float32"},
    "jpeg 2000": {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_are_those_from_the_disk(range_server: RangeServer, layout: str) -> None:
    name = "red.jp2" if layout == "jpeg 2000" else "red.tif"
    check_windows(range_server, write_tif(range_server.folder / name, NUMBERS, **LAYOUTS[layout]))


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("compress", ["none", "deflate"])
def test_windows_of_the_first_of_several_bands_are_those_from_the_disk(
    range_server: RangeServer, interleave: str, compress: str
) -> None:
    path = range_server.folder / "red.tif"
    write_tif(path, NUMBERS, count=3, interleave=interleave, compress=compress, **TILES)
    with rasterio.open(path, "r+") as file:
        file.write(NUMBERS[::-1], 2)
    check_windows(range_server, path)


def with_overviews(path: Path, pixels: PixelArray = NUMBERS) -> Path:
    write_tif(path, pixels, compress="deflate", **TILES)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], Resampling.average)
    return path


def rewritten(path: Path) -> Path:
    """Its directory has grown, so that it is at the end now."""
    write_tif(path, NUMBERS, **TILES)
    with rasterio.open(path, "r+") as file:
        file.update_tags(more="x" * 5000)
    return path


def with_its_directory_last(path: Path) -> Path:
    geo_keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32619)
    place = [(33550, "d", 3, (10.0, 10.0, 0.0)), (33922, "d", 6, (0, 0, 0, 6e5, 4.7e6, 0)), (34735, "H", 16, geo_keys)]
    with TiffWriter(path) as file:
        file.write(NUMBERS, tile=(64, 64), compression="zlib", extratags=[(*tag, True) for tag in place])
    content = path.read_bytes()
    at, _ = struct.unpack_from("<IH", content, 4)
    count = struct.unpack_from("<H", content, at)[0]
    moved = content + content[at : at + 2 + 12 * count + 4]
    path.write_bytes(moved[:4] + struct.pack("<I", len(content)) + moved[8:])
    return path


@pytest.mark.parametrize("make", [with_overviews, rewritten, with_its_directory_last])
def test_windows_of_files_with_directories_at_their_end_are_those_from_the_disk(
    range_server: RangeServer, make: Callable[[Path], Path]
) -> None:
    check_windows(range_server, make(range_server.folder / "red.tif"))


@pytest.mark.parametrize("more", range(0, 1500, 100))
def test_windows_are_right_wherever_the_head_cuts_the_directory(range_server: RangeServer, more: int) -> None:
    path, pixels = range_server.folder / "red.tif", NUMBERS
    place = {"crs": grid(1, 1).crs, "transform": grid(1, 1).transform, "count": 1, "dtype": pixels.dtype}
    shape = {"height": SIDE, "width": pixels.shape[1], "compress": "deflate", **TILES}
    with rasterio.open(path, "w", driver="GTiff", **place, **shape) as file:
        file.update_tags(TIFFTAG_IMAGEDESCRIPTION="x" * (local_copy._HEADS[0] - 1800 + more))
        file.write(pixels, 1)
    check_windows(range_server, path)


# --- Overviews and costs --------------------------------------------------------------------------------------------

LARGE: PixelArray = RANDOM.integers(1, 10_000, (2048, 2048), dtype=np.uint16)


def cog(path: Path, pixels: PixelArray) -> Path:
    return write_tif(path, pixels, driver="COG", BLOCKSIZE=256, COMPRESS="DEFLATE")


def cog_with_a_long_head(path: Path, pixels: PixelArray) -> Path:
    return write_tif(path, pixels, driver="COG", BLOCKSIZE=16, COMPRESS="DEFLATE")


@pytest.mark.parametrize("is_window_first", [False, True])
@pytest.mark.parametrize("make", [cog, cog_with_a_long_head, with_overviews])
def test_overview_is_that_from_the_disk_and_of_a_cog_costs_little(
    range_server: RangeServer, make: Callable[[Path, PixelArray], Path], is_window_first: bool
) -> None:
    path = make(range_server.folder / "red.tif", LARGE)
    source, config = remote(range_server, path)
    with described(band(source), config) as file, described(band(path), config) as local:
        if is_window_first:
            read_dn(file, slice(0, 100), slice(0, 100))
        np.testing.assert_array_equal(file.overview(512), local.overview(512))
    assert make is with_overviews or range_server.bytes_sent < path.stat().st_size / 2


@pytest.mark.parametrize(("make", "head"), [(cog, 1 << 16), (cog_with_a_long_head, 1 << 20), (with_overviews, 1 << 16)])
def test_window_costs_little_more_than_the_head(
    range_server: RangeServer, make: Callable[[Path, PixelArray], Path], head: int
) -> None:
    path = make(range_server.folder / "red.tif", LARGE)
    source, config = remote(range_server, path)
    with described(band(source), config) as file:
        np.testing.assert_array_equal(read_dn(file, slice(900, 1000), slice(900, 1000)), LARGE[900:1000, 900:1000])
    assert head < range_server.bytes_sent < head + (700 << 10)


def test_sparse_file_is_fetched_as_a_whole(range_server: RangeServer) -> None:
    """What it leaves out cannot be told from what is not here."""
    path = write_tif(range_server.folder / "red.tif", np.where(LARGE > 0, 0, LARGE), SPARSE_OK="TRUE", **TILES)
    with rasterio.open(path, "r+") as file:
        file.write(LARGE[:1024, :1024], 1, window=Window(512, 512, 1024, 1024))
    check_windows(range_server, path)
    assert range_server.bytes_sent == path.stat().st_size


@pytest.mark.parametrize("options", [{**TILES, "blockxsize": 16, "blockysize": 16}, {"tiled": False, "blockysize": 1}])
@pytest.mark.parametrize("compress", ["none", "deflate", "lzw", "packbits"])
def test_block_after_block_is_read_right(range_server: RangeServer, options: dict[str, Any], compress: str) -> None:
    """What the C library has read beyond a block and keeps does not hide what comes of the next."""
    pixels = LARGE[:640, :208]
    path = write_tif(range_server.folder / "red.tif", pixels, **{**options, "compress": compress})
    source, config = remote(range_server, path)
    with described(band(source), config) as file:
        height, width = file.block_shape
        for top, left in product(range(0, 640, height), range(0, 208, width)):
            part = slice(top, top + height), slice(left, left + width)
            np.testing.assert_array_equal(read_dn(file, *part), pixels[part])


# --- Threads --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [TILES, {"blockysize": 1}, {"driver": "COG", "BLOCKSIZE": 64, "COMPRESS": "NONE"}])
def test_data_is_never_taken_for_zeros_by_many_threads(range_server: RangeServer, options: dict[str, Any]) -> None:
    """A page that is kept from one read must not hide what is brought for the next; no number of the file is 0."""
    source, config = remote(range_server, write_tif(range_server.folder / "red.tif", LARGE, **options))
    mine = threading.local()
    with described(band(source), config) as file, ExitStack() as files:

        def begin() -> None:
            enter_gdal_environment()
            mine.raster = files.enter_context(file.open())

        def is_right(window: tuple[slice, slice]) -> bool:
            """Also in the blocks that follow, which may begin on the page on which those of the window end."""
            rows, columns = window
            height, width = file.block_shape
            beside = rows, slice(columns.start + width, columns.stop + width)
            below = slice(rows.start + height, rows.stop + height), columns
            return all(np.array_equal(mine.raster.dn(*part), LARGE[part]) for part in (window, beside, below))

        with ThreadPoolExecutor(4, initializer=begin) as threads:
            assert all(threads.map(is_right, list(windows(80, (1800, 1800), 40))))


class SlowServer(RangeServer):
    """Answers parts beyond the head only when `may_go` is set, and fails at them where `fails`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_go, self.asked, self.fails = threading.Event(), threading.Event(), False
        self._server.RequestHandlerClass = _SlowHandler


class _SlowHandler(_RangeHandler):
    def do_GET(self) -> None:
        owner: SlowServer = self.server.owner  # type: ignore[attr-defined]
        if not self.headers["Range"].startswith("bytes=0-"):
            owner.asked.set()
            owner.may_go.wait(20)
            if owner.fails:
                owner.requests.append(("GET", self.path, self.headers["Range"]))
                self.send_error(503)
                return
        super().do_GET()


@pytest.fixture
def slow_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowServer]:
    monkeypatch.setattr(retry, "_RETRY_DELAYS", ())
    with SlowServer(tmp_path / "slow") as server:
        yield server


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_need_the_same_blocks_ask_once_and_share_what_comes(slow_server: SlowServer, fails: bool) -> None:
    source, config = remote(slow_server, cog(slow_server.folder / "red.tif", LARGE))
    slow_server.fails = fails
    with described(band(source), config) as file, ThreadPoolExecutor(4) as threads:
        (fetch,) = file.fetches(slice(600, 700), slice(600, 700))
        brought = [threads.submit(fetch) for _ in range(4)]
        assert slow_server.asked.wait(20)
        slow_server.may_go.set()
        errors = [one.exception(timeout=20) for one in brought]
        if not fails:
            np.testing.assert_array_equal(read_dn(file, slice(600, 700), slice(600, 700)), LARGE[600:700, 600:700])
    assert [type(error) for error in errors] == [ProviderUnavailable if fails else type(None)] * 4
    assert len(slow_server.requests) == 2  # for the head and for the block


# --- What goes wrong ------------------------------------------------------------------------------------------------


def test_nothing_is_left_where_the_host_fails_in_the_middle(slow_server: SlowServer) -> None:
    asked = [band(remote(slow_server, cog(slow_server.folder / name, LARGE))[0]) for name in ("red.tif", "nir.tif")]
    slow_server.fails = True
    slow_server.may_go.set()
    config = config_for(private_hosts=frozenset({slow_server.host}))
    with TemporaryDirectory() as folder:
        with OpenRasters(config.network, config.limits, Path(folder)) as rasters:
            file, _ = rasters.describe(asked)
            assert len([*Path(folder).iterdir()]) == 2
            with pytest.raises(ProviderUnavailable):
                read_dn(file, slice(0, 10), slice(0, 10))
        assert [*Path(folder).iterdir()] == []


def test_nothing_is_left_where_one_of_the_files_is_not_there(range_server: RangeServer) -> None:
    present, config = remote(range_server, cog(range_server.folder / "red.tif", LARGE))
    absent = RemoteFile(url=f"{range_server.url}/absent.tif")
    with TemporaryDirectory() as folder:
        with OpenRasters(config.network, config.limits, Path(folder)) as rasters, pytest.raises(SceneUnreadable):
            rasters.describe([band(present), band(absent)])
        assert [*Path(folder).iterdir()] == []


@pytest.mark.parametrize("after", [0, 1])
def test_full_disk_is_no_fault_of_the_file(
    range_server: RangeServer, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """It is full from the start, or once the head is written."""
    source, config = remote(range_server, cog(range_server.folder / "red.tif", LARGE))

    def full(*args: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with ExitStack() as files:
        file = files.enter_context(described(band(source), config)) if after else None
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(LocalCopyNotWritten) as error:
            read_dn(file, slice(0, 10), slice(0, 10)) if file else files.enter_context(described(band(source), config))
    assert error.value.details["asset"] == "red"


def test_disk_that_takes_little_at_a_time_is_written_all_the_same(
    range_server: RangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, part, offset: write(file, part[:1000], offset))
    check_windows(range_server, cog(range_server.folder / "red.tif", NUMBERS))


OFFSETS, SIZES = 324, 325
LIES: dict[str, tuple[int, Callable[[list[int], int], list[int]]]] = {
    "beyond the file": (OFFSETS, lambda values, size: [size + value for value in values]),
    "at the file's very end": (OFFSETS, lambda values, size: [size - 1] * len(values)),
    "far beyond": (OFFSETS, lambda values, size: [2**32 - 1] * len(values)),
    "larger than the file": (SIZES, lambda values, size: [size + 1] * len(values)),
    "largest": (SIZES, lambda values, size: [2**32 - 1] * len(values)),
    "overlapping": (OFFSETS, lambda values, size: [value - 7 for value in values]),
    "cut short": (SIZES, lambda values, size: [value // 2 for value in values]),
}


HARMLESS = ("larger than the file", "largest")


@pytest.mark.parametrize("lie", LIES)
def test_block_table_that_lies_gives_no_other_numbers(range_server: RangeServer, lie: str) -> None:
    """GDAL reads a deflated block as far as it goes, so that some lies do no harm: from the disk neither."""
    path = range_server.folder / "red.tif"
    write_tif(path, LARGE, compress="deflate", tiled=True, blockxsize=256, blockysize=256)
    tag, change = LIES[lie]
    content = bytearray(path.read_bytes())
    directory, entries = struct.unpack_from("<IH", content[4:8] + content[struct.unpack_from("<I", content, 4)[0] :])
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        if struct.unpack_from("<H", content, at)[0] == tag:
            _, kind, count, values_at = struct.unpack_from("<HHII", content, at)
            form = f"<{count}{'H' if kind == 3 else 'I'}"
            values = change(list(struct.unpack_from(form, content, values_at)), len(content))
            struct.pack_into(form, content, values_at, *values)
    path.write_bytes(content)
    source, config = remote(range_server, path)

    def is_read(file: RasterFile) -> bool:
        try:
            numbers = read_window(file, file.grid, Window(300, 300, 100, 100))
        except SceneUnreadable:
            return False
        np.testing.assert_array_equal(numbers, LARGE[300:400, 300:400])
        return True

    with described(band(source), config) as file, described(band(path), config) as local:
        assert is_read(file) == is_read(local) == (lie in HARMLESS)


# --- Runs of spans --------------------------------------------------------------------------------------------------

FAR, MOST = local_copy._NEAR_BYTES, local_copy._MOST_REQUEST_BYTES
spans = st.builds(
    lambda start, length: Span(start, start + length),
    st.one_of(st.integers(0, 5 * FAR), st.integers(0, 5 * MOST)),
    st.one_of(st.integers(1, 2 * FAR), st.integers(1, 2 * MOST)),
)


@given(st.lists(spans, max_size=30))
def test_runs_hold_all_spans_in_order_and_are_worth_a_request(wanted: list[Span]) -> None:
    made = list(runs(wanted))
    assert [span for run in made for span in run] == sorted(wanted)
    for run in made:
        length = max(span.stop for span in run) - run[0].start
        assert length <= max(MOST, *(span.stop - span.start for span in run), 0)


@given(st.lists(st.tuples(st.integers(0, 2 * FAR), st.integers(1, MOST)), min_size=1, max_size=30))
def test_spans_that_lie_near_each_other_are_asked_for_together(gaps_and_lengths: list[tuple[int, int]]) -> None:
    """Where a run ends and another begins, they are far from each other or too long for one request."""
    wanted, end = [], 0
    for gap, length in gaps_and_lengths:
        wanted.append(Span(end + gap, end + gap + length))
        end = wanted[-1].stop
    made = list(runs(wanted))
    for run, following in pairwise(made):
        is_far = following[0].start - run[-1].stop > FAR
        assert is_far or following[0].stop - run[0].start > MOST
