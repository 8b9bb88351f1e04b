"""Rasters behind http: exact values from few bytes, and every host that fails or may not be asked is named."""

from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.windows import Window

from processing.raster.errors import ProviderUnavailable, SceneUnreadable
from processing.raster.types import Band, Config, PixelArray, RemoteFile
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import owner_of
from tests.raster.support.rasters import band, described, random_dn, read_all, read_window, write_tif
from tests.servers import HttpServer, RangeServer, _RangeHandler, free_port

pytestmark = pytest.mark.usefixtures("gdal", "hurried")


def remote(server: HttpServer, path: str = "red.tif") -> Band:
    return band(RemoteFile(url=f"{server.url}/{path}"))


def allowing(*servers: HttpServer) -> Config:
    return config_for(private_hosts=frozenset(server.host for server in servers))


def served(server: RangeServer, dn: PixelArray) -> PixelArray:
    options: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    write_tif(server.folder / "red.tif", dn, **options)
    return dn


@pytest.mark.parametrize("by_port", [True, False])
def test_remote_file_of_a_named_host_is_read(range_server: RangeServer, by_port: bool) -> None:
    dn = served(range_server, random_dn(200, 200))
    allowed = frozenset({range_server.host if by_port else "127.0.0.1"})
    reflectance, _ = read_all(remote(range_server), config_for(private_hosts=allowed))
    np.testing.assert_array_equal(reflectance, dn)


def test_only_the_bytes_of_the_window_are_fetched(range_server: RangeServer) -> None:
    served(range_server, random_dn(1024, 1024))
    with described(remote(range_server), allowing(range_server)) as raster:
        read_window(raster, raster.grid, Window(0, 0, 64, 64))
    assert range_server.bytes_sent < (range_server.folder / "red.tif").stat().st_size / 4


@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"127.0.0.1:1"}), frozenset({"localhost"})])
def test_remote_file_of_another_private_host_is_refused(range_server: RangeServer, allowed: frozenset[str]) -> None:
    served(range_server, random_dn(10, 10))
    with pytest.raises(SceneUnreadable):
        read_all(remote(range_server), config_for(private_hosts=allowed))
    assert range_server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "s3://bucket/red.tif", "/etc/passwd", "red.tif", ""])
def test_source_that_is_not_a_web_address_is_refused(config: Config, url: str) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(band(RemoteFile(url=url)), config)


def test_missing_remote_file_is_unreadable(range_server: RangeServer) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(remote(range_server, "missing.tif"), allowing(range_server))


# --- Hosts that fail or redirect ------------------------------------------------------------------------------------


class StatusServer(HttpServer):
    """Answers /503/any.tif with 503. A redirect leads to `moved_to`."""

    def __init__(self) -> None:
        self.moved_to = "/"
        super().__init__(_StatusHandler)


class _StatusHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Location", owner_of(self, StatusServer).moved_to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def status_server() -> Iterator[StatusServer]:
    with StatusServer() as server:
        yield server


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_failing_host_is_unavailable_for_now(status_server: StatusServer, status: int) -> None:
    with pytest.raises(ProviderUnavailable) as error:
        read_all(remote(status_server, f"{status}/red.tif"), allowing(status_server))
    assert error.value.retryable
    assert error.value.details["asset"] == "red"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_host_that_refuses_the_file_makes_it_unreadable(status_server: StatusServer, status: int) -> None:
    with pytest.raises(SceneUnreadable):
        read_all(remote(status_server, f"{status}/red.tif"), allowing(status_server))


def test_host_at_which_nobody_listens_is_unavailable_for_now() -> None:
    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(ProviderUnavailable):
        read_all(band(RemoteFile(url=f"http://{host}/red.tif")), config_for(private_hosts=frozenset({host})))


def test_redirect_never_leads_to_a_forbidden_host(range_server: RangeServer, status_server: StatusServer) -> None:
    served(range_server, random_dn(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"
    with suppress(SceneUnreadable, ProviderUnavailable):
        read_all(remote(status_server, "302/red.tif"), allowing(status_server))
    assert range_server.requests == []


def test_redirect_to_an_allowed_host_is_followed(range_server: RangeServer, status_server: StatusServer) -> None:
    dn = served(range_server, random_dn(10, 10))
    status_server.moved_to = f"{range_server.url}/red.tif"
    reflectance, _ = read_all(remote(status_server, "302/red.tif"), allowing(range_server, status_server))
    np.testing.assert_array_equal(reflectance, dn)


class BreakingServer(RangeServer):
    """Sends files until `is_broken`, then answers 503."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.is_broken = False
        self._server.RequestHandlerClass = _BreakingHandler


class _BreakingHandler(_RangeHandler):
    def _serve(self, *, with_body: bool) -> None:
        if not owner_of(self, BreakingServer).is_broken:
            super()._serve(with_body=with_body)
            return
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_host_that_begins_to_fail_is_unavailable_for_now(tmp_path: Path) -> None:
    with BreakingServer(tmp_path / "files") as server:
        served(server, random_dn(1024, 1024))
        with described(remote(server), allowing(server)) as raster:
            server.is_broken = True
            with pytest.raises(ProviderUnavailable):
                read_window(raster, raster.grid, Window(512, 512, 512, 512))
