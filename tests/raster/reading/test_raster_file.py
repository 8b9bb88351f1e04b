"""Reading a band: exact reflectance, nodata that never bleeds, and every broken or forbidden file named as such."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.windows import Window

from processing.http import retry
from processing.raster.errors import ProviderUnavailable, SceneTooLarge, SceneUnreadable
from processing.raster.grids.grid import Grid
from processing.raster.radiometry.reflectance import has_gaps, to_reflectance, valid_pixels
from processing.raster.reading.on_grid import BandReader, resampling_for
from processing.raster.reading.raster_file import gdal_environment
from processing.raster.types import Band, BoolArray, Config, Float32Array, PixelArray, RemoteFile
from tests.raster.support.rasters import NORTH, WEST, band, grid, opened, read_reflectance, write_tif
from tests.servers import HttpServer, RangeServer, _RangeHandler, free_port

pytestmark = pytest.mark.usefixtures("gdal")
Numbers = npt.NDArray[np.uint16]
SENTINEL, SENTINEL_SHIFTED, LANDSAT = (1e-4, 0.0), (1e-4, -0.1), (2.75e-5, -0.2)


def read_all(asked: Band, config: Config, on: Grid | None = None) -> tuple[Float32Array, BoolArray]:
    with opened(asked, config) as file:
        on = on or file.grid
        return read_reflectance(file, asked, on, Window(0, 0, on.width, on.height))


@given(
    st.lists(st.integers(0, 65535), min_size=1, max_size=50),
    st.sampled_from([SENTINEL, SENTINEL_SHIFTED, LANDSAT]),
)
@example([0, 1, 999, 1000, 1001, 1002, 65535], SENTINEL_SHIFTED)
@example([0, 7272, 7273, 7274, 65535], LANDSAT)
def test_reflectance_is_exact_to_the_precision_of_float32(numbers: list[int], radiometry: tuple[float, float]) -> None:
    scale, offset = radiometry
    window = np.array([numbers], np.uint16)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=scale, offset=offset))
    expected = (window.astype(np.float64) * scale + offset).clip(0)
    assert reflectance.dtype == np.float32
    assert (reflectance >= 0).all()
    np.testing.assert_allclose(reflectance, expected, rtol=2e-7, atol=1e-16)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_reflectance_of_every_dtype(dtype: str) -> None:
    window = np.array([[0, 1, 100, 127]], dtype)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=1e-2, offset=-0.5))
    np.testing.assert_allclose(reflectance, [[0, 0, 0.5, 0.77]], rtol=2e-7)


def test_numbers_are_left_as_they_were() -> None:
    window = np.array([[0.0, 1000.0, 5000.0]], np.float32)
    to_reflectance(window, band(Path("any.tif"), scale=1e-4, offset=-0.1))
    assert window.tolist() == [[0, 1000, 5000]]


@pytest.mark.parametrize(
    ("numbers", "nodata", "expected"),
    [
        (np.array([0, 1, 65534, 65535], np.uint16), 0, [False, True, True, False]),
        (np.array([0, 1, 7], np.uint16), 7, [True, True, False]),
        (np.array([0, 1, 255], np.uint8), 0, [False, True, True]),
        (np.array([-9999, 0, 32767], np.int16), -9999, [False, True, True]),
        (np.array([0, 1.5, np.nan, np.inf, 65535], np.float32), 0, [False, True, False, False, True]),
        (np.array([0, np.nan, 1], np.float32), np.nan, [True, False, True]),
    ],
)
def test_valid_pixels(numbers: PixelArray, nodata: float, expected: list[bool]) -> None:
    assert valid_pixels(numbers, nodata).tolist() == expected
    for part in (numbers[first:last] for first, last in combinations(range(len(numbers) + 1), 2)):
        assert has_gaps(part, nodata) is not bool(valid_pixels(part, nodata).all())


def test_a_gap_within_the_range_of_the_data_may_not_be_overlooked() -> None:
    assert has_gaps(np.array([3, 7, 5], np.uint16), 7)
    assert has_gaps(np.array([-5.0, -9999.0, 5.0], np.float32), -9999)


@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_what_is_below_zero_is_clipped_beside_nan(shift: float) -> None:
    window = np.array([[np.nan, -3, 0, 100]], np.float32)
    reflectance = to_reflectance(window, band(Path("any.tif"), scale=1e-2, offset=shift))
    np.testing.assert_allclose(reflectance[0, 1:], [0, 0, 1 + shift])


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (20.0, 10.0, Resampling.bilinear),
        (10.0, 10.0, Resampling.bilinear),
        (10.0, 19.7, Resampling.bilinear),
        (10.0, 19.9, Resampling.average),  # twice as large, to the hundredth by which projections stretch
        (10.0, 20.0, Resampling.average),
        (10.0, 60.0, Resampling.average),
    ],
)
def test_resampling_averages_where_pixels_shrink(source: float, target: float, expected: Resampling) -> None:
    assert resampling_for(grid(8, 8, source), grid(8, 8, target)) is expected


def test_resampling_compares_metres_and_not_units() -> None:
    # 30 feet are 9 m: less than twice as small as 10 m.
    assert resampling_for(grid(8, 8, 10.0), grid(8, 8, 30.0, epsg=2263)) is Resampling.bilinear


def random_numbers(height: int, width: int, holes: float = 0.1, seed: int = 5) -> Numbers:
    random = np.random.default_rng(seed)
    numbers = random.integers(5000, 9000, (height, width)).astype(np.uint16)
    numbers[random.random(numbers.shape) < holes] = 0
    return numbers


def test_file_on_the_same_grid_is_read_as_it_is(tmp_path: Path, config: Config) -> None:
    numbers = random_numbers(37, 53)
    reflectance, valid = read_all(band(write_tif(tmp_path / "red.tif", numbers, nodata=0)), config)
    np.testing.assert_array_equal(reflectance, numbers)
    np.testing.assert_array_equal(valid, numbers != 0)


def test_windows_of_one_file_fit_together(tmp_path: Path, config: Config) -> None:
    numbers = random_numbers(37, 53)
    asked = band(write_tif(tmp_path / "red.tif", numbers))
    with opened(asked, config) as file:
        on = file.grid
        together = np.zeros(on.shape, np.float32)
        for window in on.windows(16):
            together[window.toslices()] = read_reflectance(file, asked, on, window)[0]
    np.testing.assert_array_equal(together, numbers)


def test_nodata_of_the_band_holds_where_the_file_declares_none(tmp_path: Path, config: Config) -> None:
    numbers = random_numbers(20, 20)
    path = write_tif(tmp_path / "red.tif", numbers)
    assert (read_all(band(path), config)[1] == (numbers != 0)).all()
    on = grid(40, 40, 5.0)
    reflectance, valid = read_all(band(path), config, on)
    assert reflectance[valid].min() >= 5000
    assert not valid[doubled(numbers == 0)].any()


def doubled(field: PixelArray) -> PixelArray:
    return field.repeat(2, axis=0).repeat(2, axis=1)


def neighbourhood(field: PixelArray, combine: Callable[..., PixelArray]) -> PixelArray:
    """`combine` of each pixel and its eight neighbours; beyond the edge the pixels of the edge go on."""
    padded = np.pad(field, 1, mode="edge")
    rows, columns = field.shape
    around = [padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    return combine(np.stack(around), axis=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("holes", [0.0, 0.05, 0.4])
def test_nodata_never_bleeds_where_20_m_come_to_10_m(tmp_path: Path, config: Config, seed: int, holes: float) -> None:
    numbers = random_numbers(19, 23, holes, seed)
    path = write_tif(tmp_path / "swir16.tif", numbers, grid(23, 19, 20.0), nodata=0)
    reflectance, valid = read_all(band(path), config, grid(46, 38, 10.0))
    whole = doubled(neighbourhood(numbers != 0, np.all))
    assert valid[whole].all()
    assert np.isfinite(reflectance[valid]).all()
    assert not valid[doubled(numbers == 0)].any()
    low = doubled(neighbourhood(np.where(numbers == 0, 9999, numbers), np.min))
    high = doubled(neighbourhood(numbers, np.max))
    assert (reflectance[valid] >= low[valid] - 1e-2).all()
    assert (reflectance[valid] <= high[valid] + 1e-2).all()


def test_20_m_bands_are_interpolated_and_lie_where_they_belong(tmp_path: Path, config: Config) -> None:
    ramp = np.tile(np.arange(1000, 1000 + 100 * 20, 100, dtype=np.uint16), (20, 1))
    path = write_tif(tmp_path / "swir16.tif", ramp, grid(20, 20, 20.0), nodata=0)
    reflectance, _ = read_all(band(path), config, grid(40, 40, 10.0))
    # Centres of 10 m pixels lie a quarter of a 20 m pixel before and behind those of 20 m.
    expected = 1000 + 100 * (np.arange(40) / 2 - 0.25)
    np.testing.assert_allclose(reflectance[20, 2:-2], expected[2:-2], atol=0.01)


def test_nodata_never_bleeds_into_an_average(tmp_path: Path, config: Config) -> None:
    numbers = random_numbers(24, 24, 0.3)
    path = write_tif(tmp_path / "red.tif", numbers, nodata=0)
    reflectance, valid = read_all(band(path), config, grid(12, 12, 20.0))
    blocks = numbers.reshape(12, 2, 12, 2).transpose(0, 2, 1, 3).reshape(12, 12, 4).astype(float)
    counts = (blocks > 0).sum(axis=2)
    np.testing.assert_array_equal(valid, counts > 0)
    means = blocks.sum(axis=2) / np.maximum(counts, 1)
    np.testing.assert_allclose(reflectance[valid], means[valid], rtol=1e-6)


def test_ground_beyond_the_file_is_nodata(tmp_path: Path, config: Config) -> None:
    path = write_tif(tmp_path / "red.tif", random_numbers(10, 10, 0), nodata=0)
    _, valid = read_all(band(path), config, grid(30, 20))
    assert valid[:10, :10].all()
    assert not valid[11:, :].any()
    assert not valid[:, 11:].any()


def test_file_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "red.tif", random_numbers(10, 11))
    with pytest.raises(SceneTooLarge) as error:
        read_all(band(path), Config(sandbox_dir=tmp_path, max_pixels=109))
    assert "10" in error.value.message
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}
    read_all(band(path), Config(sandbox_dir=tmp_path, max_pixels=110))


def test_file_without_a_place_on_the_ground_is_unreadable(tmp_path: Path, config: Config) -> None:
    numbers = random_numbers(10, 10)
    no_crs = write_tif(tmp_path / "no_crs.tif", numbers, grid(10, 10, epsg=None))
    no_transform = write_tif(tmp_path / "no_transform.tif", numbers, transform=None)
    for path in (no_crs, no_transform):
        with pytest.raises(SceneUnreadable, match="where on the ground"):
            read_all(band(path), config)


VRT = f"""<VRTDataset rasterXSize="10" rasterYSize="10"><SRS>EPSG:32619</SRS>
<GeoTransform>{WEST}, 10, 0, {NORTH}, 0, -10</GeoTransform><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
<SourceFilename>%s</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"II",
        b"II*\0",
        b"II*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\x7f",
        b"MM\0*\0\0\0\x08" + b"\xff" * 500,
        b"<html><body>Please log in</body></html>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        bytes(range(256)) * 20,
    ],
)
def test_garbage_is_unreadable(tmp_path: Path, config: Config, content: bytes) -> None:
    path = tmp_path / "red.tif"
    path.write_bytes(content)
    with pytest.raises(SceneUnreadable) as error:
        read_all(band(path), config)
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_truncated_file_is_unreadable(tmp_path: Path, config: Config, share: float) -> None:
    options = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    path = write_tif(tmp_path / "red.tif", random_numbers(300, 300), **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SceneUnreadable):
        read_all(band(path), config)


def test_missing_file_is_unreadable(tmp_path: Path, config: Config) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(band(tmp_path / "red.tif"), config)


def test_virtual_raster_in_disguise_is_refused(tmp_path: Path, config: Config) -> None:
    secret = write_tif(tmp_path / "secret.tif", random_numbers(10, 10))
    disguised = tmp_path / "red.tif"
    disguised.write_text(VRT % secret)
    with pytest.raises(SceneUnreadable):
        read_all(band(disguised), config)


def remote(server: HttpServer, path: str = "red.tif") -> Band:
    return band(RemoteFile(url=f"{server.url}/{path}"))


def served(server: RangeServer, numbers: Numbers) -> Numbers:
    options = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    write_tif(server.folder / "red.tif", numbers, **options)
    return numbers


@pytest.mark.parametrize("by_port", [True, False])
def test_remote_file_of_a_named_host_is_read(range_server: RangeServer, tmp_path: Path, by_port: bool) -> None:
    numbers = served(range_server, random_numbers(200, 200))
    allowed = frozenset({range_server.host if by_port else "127.0.0.1"})
    reflectance, _ = read_all(remote(range_server), Config(sandbox_dir=tmp_path, private_hosts=allowed))
    np.testing.assert_array_equal(reflectance, numbers)


def test_only_the_bytes_of_the_window_are_fetched(range_server: RangeServer, tmp_path: Path) -> None:
    served(range_server, random_numbers(1024, 1024))
    config = Config(sandbox_dir=tmp_path, private_hosts=frozenset({range_server.host}))
    asked = remote(range_server)
    with opened(asked, config) as file:
        BandReader(asked, file, file.grid).read(Window(0, 0, 64, 64))
    assert range_server.bytes_sent < (range_server.folder / "red.tif").stat().st_size / 4


@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"127.0.0.1:1"}), frozenset({"localhost"})])
def test_remote_file_of_another_private_host_is_refused(
    range_server: RangeServer, tmp_path: Path, allowed: frozenset[str]
) -> None:
    served(range_server, random_numbers(10, 10))
    with pytest.raises(SceneUnreadable):
        read_all(remote(range_server), Config(sandbox_dir=tmp_path, private_hosts=allowed))
    assert range_server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "s3://bucket/red.tif", "/etc/passwd", "red.tif", ""])
def test_source_that_is_no_web_address_is_refused(config: Config, url: str) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(band(RemoteFile(url=url)), config)


def test_missing_remote_file_is_unreadable(range_server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(
            remote(range_server, "missing.tif"),
            Config(sandbox_dir=tmp_path, private_hosts=frozenset({range_server.host})),
        )


class StatusHandler(BaseHTTPRequestHandler):
    """Answers /503/any.tif with 503; a redirect leads where the server's `moved_to` says."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Location", getattr(self.server.owner, "moved_to", "/"))  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def status_server() -> Iterator[HttpServer]:
    with HttpServer(StatusHandler) as server:
        yield server


def answer_of(server: HttpServer, status: int, tmp_path: Path) -> None:
    """Read a file at which the server answers with that status."""
    config = Config(sandbox_dir=tmp_path, private_hosts=frozenset({server.host}))
    read_all(remote(server, f"{status}/red.tif"), config)


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch, config: Config) -> Iterator[None]:
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))
    with gdal_environment():
        yield


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_failing_host_is_unavailable_for_now(tmp_path: Path, status_server: HttpServer, status: int) -> None:
    with pytest.raises(ProviderUnavailable) as error:
        answer_of(status_server, status, tmp_path)
    assert error.value.retryable
    assert error.value.details["asset"] == "red"


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_host_that_refuses_the_file_makes_it_unreadable(tmp_path: Path, status_server: HttpServer, status: int) -> None:
    with pytest.raises(SceneUnreadable):
        answer_of(status_server, status, tmp_path)


@pytest.mark.usefixtures("_hurried")
def test_host_that_nobody_answers_at_is_unavailable_for_now(tmp_path: Path) -> None:
    host = f"127.0.0.1:{free_port()}"
    config = Config(sandbox_dir=tmp_path, private_hosts=frozenset({host}))
    with pytest.raises(ProviderUnavailable):
        read_all(band(RemoteFile(url=f"http://{host}/red.tif")), config)


class BreakingHandler(_RangeHandler):
    """Serves files until its server's `broken` is set, then answers 503."""

    def _serve(self, *, with_body: bool) -> None:
        if not getattr(self.server.owner, "broken", False):  # type: ignore[attr-defined]
            super()._serve(with_body=with_body)
            return
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.usefixtures("_hurried")
def test_host_that_begins_to_fail_is_unavailable_for_now(range_server: RangeServer, tmp_path: Path) -> None:
    served(range_server, random_numbers(1024, 1024))
    range_server._server.RequestHandlerClass = BreakingHandler
    config = Config(sandbox_dir=tmp_path, private_hosts=frozenset({range_server.host}))
    asked = remote(range_server)
    with opened(asked, config) as file:
        reader = BandReader(asked, file, file.grid)
        range_server.broken = True  # type: ignore[attr-defined]
        with pytest.raises(ProviderUnavailable):
            reader.read(Window(512, 512, 512, 512))


def test_redirect_never_leads_to_a_host_that_is_not_allowed(
    range_server: RangeServer, status_server: HttpServer, tmp_path: Path
) -> None:
    served(range_server, random_numbers(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"  # type: ignore[attr-defined]
    with suppress(SceneUnreadable, ProviderUnavailable):
        answer_of(status_server, 302, tmp_path)
    assert range_server.requests == []


def test_redirect_to_an_allowed_host_is_followed(
    range_server: RangeServer, status_server: HttpServer, tmp_path: Path
) -> None:
    numbers = served(range_server, random_numbers(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"  # type: ignore[attr-defined]
    config = Config(sandbox_dir=tmp_path, private_hosts=frozenset({range_server.host, status_server.host}))
    reflectance, _ = read_all(remote(status_server, "302/red.tif"), config)
    np.testing.assert_array_equal(reflectance, numbers)
