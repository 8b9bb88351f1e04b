"""Byte ranges of remote files: the right bytes or a named error, whatever the host sends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from processing.raster.errors import SceneTooLarge, SceneUnreadable
from processing.raster.files import ranges
from processing.raster.files.ranges import Span
from processing.raster.types import RemoteFile
from tests.raster.files.hosts import (
    BYTES,
    PIXELS,
    Host,
    chunked,
    config_of,
    part,
    read_pixels,
    read_span,
    reading,
)
from tests.raster.support.misbehaving import Answer, content, owner_of
from tests.raster.support.rasters import grid, write_tif
from tests.servers import RangeServer, _RangeHandler

pytestmark = pytest.mark.usefixtures("hurried")

# --- Whole files in place of parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [content(BYTES), chunked(BYTES), content(BYTES, headers={"ETag": '"one"'})])
def test_host_without_ranges_sends_the_whole_file(answer: Answer) -> None:
    with Host(answer) as host, reading(host) as file:
        assert read_span(file, Span(0, 10)) == BYTES
        assert file.size == len(BYTES)
    assert len(host.asked) == 1


@pytest.mark.parametrize("answer", [content(BYTES), chunked(BYTES), content(b"", cut=10**12)])
def test_whole_file_that_is_too_large_is_refused(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_MOST_BYTES", len(BYTES) - 1)
    with Host(answer) as host, reading(host) as file, pytest.raises(SceneTooLarge):
        read_span(file)
    assert len(host.asked) == 1


def test_file_of_a_size_that_no_band_has_is_refused() -> None:
    huge = content(b"II*\0", 206, {"Content-Range": "bytes 0-3/100000000000000"})
    with Host(huge) as host, reading(host) as file, pytest.raises(SceneTooLarge):
        read_span(file, Span(0, 4))


def test_host_that_no_longer_sends_parts_is_refused() -> None:
    with Host(part(BYTES), content(BYTES)) as host, reading(host) as file:
        read_span(file, Span(0, 10))
        with pytest.raises(SceneUnreadable):
            read_span(file, Span(10, 20))


# --- Parts ----------------------------------------------------------------------------------------------------------

RANGES = ["", "bytes */1000", "bytes 0-999/*", "bytes 1-999/1000", "0-999/1000", "bytes 0-999", "bytes -0-999/1000",
          "items 0-999/1000", "bytes 0-999/1e3", "bytes 0-999/" + "9" * 5000, "bytes \u0660-999/1000"]  # fmt: skip


@pytest.mark.parametrize("named", RANGES)
def test_part_with_a_wrong_range_is_refused(named: str) -> None:
    headers = {"Content-Range": named} if named.isascii() else {"Content-Range": named.encode().decode("latin-1")}
    answer = content(BYTES, 206, headers if named else {})
    with Host(answer) as host, reading(host) as file, pytest.raises(SceneUnreadable) as error:
        read_span(file)
    assert (len(host.asked), error.value.details) == (1, {"host": host.host})


def test_bytes_beyond_the_span_are_left_out() -> None:
    with Host(part(BYTES, more=500)) as host, reading(host) as file:
        assert [read_span(file, span) for span in (Span(0, 10), Span(10, 300))] == [BYTES[:10], BYTES[10:300]]


def test_span_beyond_the_file_ends_with_it() -> None:
    with Host(part(BYTES)) as host, reading(host) as file:
        assert read_span(file, Span(0, 5000)) == BYTES
    assert len(host.asked) == 1


@pytest.mark.parametrize("other", [part(BYTES, ETag='"two"'), part(BYTES + b"x", ETag='"one"'), part(BYTES)])
@pytest.mark.parametrize("broken_off", [None, 5])
def test_file_that_is_replaced_while_it_is_read_is_refused(other: Answer, broken_off: int | None) -> None:
    refused = pytest.raises(SceneUnreadable, match="replaced")
    with Host(part(BYTES, broken_off, ETag='"one"'), other) as host, reading(host) as file, refused:
        [read_span(file, span) for span in (Span(0, 10), Span(10, 20))]
    assert len(host.asked) == 2


# --- Rasters and connections ----------------------------------------------------------------------------------------


def test_small_file_takes_one_request(range_server: RangeServer) -> None:
    write_tif(range_server.folder / "red.tif", PIXELS)
    pixels = read_pixels(RemoteFile(url=f"{range_server.url}/red.tif"), config_of(range_server))
    np.testing.assert_array_equal(pixels, PIXELS)
    assert [(method, path) for method, path, _ in range_server.requests] == [("GET", "/red.tif")]


def test_lossless_jpeg_2000_is_read_exactly(range_server: RangeServer) -> None:
    path = range_server.folder / "T33TWL_B04_10m.jp2"
    place = {"crs": "EPSG:32633", "transform": grid(20, 20).transform, "width": 20, "height": 20}
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES"}
    with rasterio.open(path, "w", driver="JP2OpenJPEG", count=1, dtype="uint16", **place, **lossless) as file:
        file.write(PIXELS, 1)
    pixels = read_pixels(RemoteFile(url=f"{range_server.url}/{path.name}"), config_of(range_server))
    np.testing.assert_array_equal(pixels, PIXELS)


class CountingServer(RangeServer):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.connections = 0
        self._server.RequestHandlerClass = _CountingHandler


class _CountingHandler(_RangeHandler):
    def setup(self) -> None:
        owner_of(self, CountingServer).connections += 1
        super().setup()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingServer]:
    with CountingServer(tmp_path / "store") as server:
        yield server


def test_connection_is_used_again(store: CountingServer) -> None:
    (store.folder / "red.tif").write_bytes(BYTES)
    with reading(store) as file:
        assert b"".join(read_span(file, Span(start, start + 200)) for start in range(0, 1000, 200)) == BYTES
    assert (len(store.requests), store.connections) == (5, 1)


def test_many_threads_read_the_right_bytes_over_few_connections(store: CountingServer) -> None:
    body = BYTES * 1000
    (store.folder / "red.tif").write_bytes(body)
    starts = np.random.default_rng(6).integers(0, len(body), 200).tolist()
    with reading(store) as file, ThreadPoolExecutor(8) as threads:
        read_span(file, Span(0, 1))
        got = threads.map(lambda start: read_span(file, Span(start, start + 5000)), starts)
        assert list(got) == [body[start : start + 5000] for start in starts]
    assert store.connections <= 9
