"""Rasters behind http: exact values from few bytes, and every host that fails or may not be asked named as such."""

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.windows import Window

from processing.http import retry
from processing.raster.errors import ProviderUnavailable, SceneUnreadable
from processing.raster.gdal import gdal_environment
from processing.raster.types import Band, Config, PixelArray, RemoteFile
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, random_dn, read_all, read_window, write_tif
from tests.servers import HttpServer, RangeServer, _RangeHandler, free_port

pytestmark = pytest.mark.usefixtures("gdal")


def remote(server: HttpServer, path: str = "red.tif") -> Band:
    return band(RemoteFile(url=f"{server.url}/{path}"))


def served(server: RangeServer, dn: PixelArray) -> PixelArray:
    options = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    write_tif(server.folder / "red.tif", dn, **options)
    return dn


@pytest.mark.parametrize("by_port", [True, False])
def test_remote_file_of_a_named_host_is_read(range_server: RangeServer, tmp_path: Path, by_port: bool) -> None:
    dn = served(range_server, random_dn(200, 200))
    allowed = frozenset({range_server.host if by_port else "127.0.0.1"})
    reflectance, _ = read_all(remote(range_server), config_for(private_hosts=allowed))
    np.testing.assert_array_equal(reflectance, dn)


def test_only_the_bytes_of_the_window_are_fetched(range_server: RangeServer, tmp_path: Path) -> None:
    served(range_server, random_dn(1024, 1024))
    config = config_for(private_hosts=frozenset({range_server.host}))
    asked = remote(range_server)
    with described(asked, config) as raster:
        read_window(raster, raster.grid, Window(0, 0, 64, 64))
    assert range_server.bytes_sent < (range_server.folder / "red.tif").stat().st_size / 4


@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"127.0.0.1:1"}), frozenset({"localhost"})])
def test_remote_file_of_another_private_host_is_refused(
    range_server: RangeServer, tmp_path: Path, allowed: frozenset[str]
) -> None:
    served(range_server, random_dn(10, 10))
    with pytest.raises(SceneUnreadable):
        read_all(remote(range_server), config_for(private_hosts=allowed))
    assert range_server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "s3://bucket/red.tif", "/etc/passwd", "red.tif", ""])
def test_source_that_is_no_web_address_is_refused(config: Config, url: str) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(band(RemoteFile(url=url)), config)


def test_missing_remote_file_is_unreadable(range_server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(
            remote(range_server, "missing.tif"),
            config_for(private_hosts=frozenset({range_server.host})),
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
    config = config_for(private_hosts=frozenset({server.host}))
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
    config = config_for(private_hosts=frozenset({host}))
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
    served(range_server, random_dn(1024, 1024))
    range_server._server.RequestHandlerClass = BreakingHandler
    config = config_for(private_hosts=frozenset({range_server.host}))
    asked = remote(range_server)
    with described(asked, config) as raster:
        range_server.broken = True  # type: ignore[attr-defined]
        with pytest.raises(ProviderUnavailable):
            read_window(raster, raster.grid, Window(512, 512, 512, 512))


def test_redirect_never_leads_to_a_host_that_is_not_allowed(
    range_server: RangeServer, status_server: HttpServer, tmp_path: Path
) -> None:
    served(range_server, random_dn(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"  # type: ignore[attr-defined]
    with suppress(SceneUnreadable, ProviderUnavailable):
        answer_of(status_server, 302, tmp_path)
    assert range_server.requests == []


def test_redirect_to_an_allowed_host_is_followed(
    range_server: RangeServer, status_server: HttpServer, tmp_path: Path
) -> None:
    dn = served(range_server, random_dn(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"  # type: ignore[attr-defined]
    config = config_for(private_hosts=frozenset({range_server.host, status_server.host}))
    reflectance, _ = read_all(remote(status_server, "302/red.tif"), config)
    np.testing.assert_array_equal(reflectance, dn)
