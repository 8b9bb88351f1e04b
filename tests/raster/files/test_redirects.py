"""Redirects are followed to allowed hosts only, and not for ever."""

from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from processing.raster.errors import ProviderUnavailable, SceneUnreadable
from processing.raster.types import RemoteFile
from tests.raster.files.hosts import FOUR_BYTES, PIXELS, Host, ask, config_of, read_pixels, read_span, reading
from tests.raster.support.misbehaving import AnyServer, redirect, status
from tests.raster.support.rasters import write_tif
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_to_an_allowed_host_is_followed_and_remembered(range_server: RangeServer, code: int) -> None:
    write_tif(range_server.folder / "red.tif", PIXELS)
    with AnyServer(redirect(f"{range_server.url}/red.tif", code)) as first:
        config = config_of(first, range_server)
        pixels = [read_pixels(RemoteFile(url=f"{first.url}/somewhere.tif"), config) for _ in range(2)]
    np.testing.assert_array_equal(pixels, [PIXELS, PIXELS])
    assert len(first.asked) == 1


def test_redirect_may_be_relative() -> None:
    with AnyServer(redirect("../other/red.tif"), FOUR_BYTES) as server:
        ask(RemoteFile(url=f"{server.url}/a/b/red.tif"), config_of(server))
    assert [path for _, path, _ in server.asked] == ["/a/b/red.tif", "/a/other/red.tif"]


# {port} is that of a server that may not be asked.
FORBIDDEN = [
    "http://127.0.0.1:{port}/red.tif",
    "http://localhost:{port}/red.tif",
    "http://[::1]:{port}/red.tif",
    "http://0.0.0.0:{port}/red.tif",
    "//0x7f.1:{port}/red.tif",
    "http://2130706433:{port}/red.tif",
    "https://127.0.0.1:{port}/red.tif",
    "https://2130706433:{port}/red.tif",
    "https://[::ffff:127.0.0.1]:{port}/red.tif",
    "https://[64:ff9b::7f00:1]:{port}/red.tif",
    "https://169.254.169.254/latest/meta-data/red.tif",
    "http://169.254.169.254/latest/meta-data/red.tif",
    "https://10.0.0.1/red.tif",
    "https://user:password@127.0.0.1:{port}/red.tif",
    "file:///etc/hostname",
    "ftp://127.0.0.1:{port}/red.tif",
    "s3://bucket/red.tif",
    "gopher://127.0.0.1:{port}/red.tif",
    "http://[::1",
    "https://:443/red.tif",
    "http://127.0.0.1:99999/red.tif",
]


@pytest.mark.parametrize("target", FORBIDDEN)
def test_redirect_to_a_forbidden_host_is_refused_without_asking_it(target: str) -> None:
    with AnyServer(FOUR_BYTES) as secret:
        target = target.format(port=secret.host.partition(":")[2])
        with AnyServer(redirect(target)) as server, pytest.raises(SceneUnreadable) as error:
            ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert (len(server.asked), secret.asked) == (1, [])
    assert error.value.message


@pytest.mark.parametrize("href", FORBIDDEN)
def test_href_to_a_forbidden_host_is_refused_without_asking_it(href: str) -> None:
    with AnyServer(FOUR_BYTES) as secret:
        href = href.format(port=secret.host.partition(":")[2])
        href = f"http:{href}" if href.startswith("//") else href
        with pytest.raises(SceneUnreadable):
            read_pixels(RemoteFile(url=href), config_of())
    assert secret.asked == []


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "-", "%00", "\u0661\u0662\u0667.0.0.1"])
def test_href_to_an_impossible_host_name_raises_a_named_error(host: str) -> None:
    with pytest.raises((SceneUnreadable, ProviderUnavailable)):
        ask(RemoteFile(url=f"https://{host}/red.tif"), config_of())


@pytest.mark.parametrize("href", ["http://[bad/x.tif", "https://[::1/x.tif", "https://files.example:99999/x.tif"])
def test_href_that_is_not_a_url_is_refused_in_a_sentence(href: str) -> None:
    with pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=href), config_of())
    assert error.value.message == "The address of the file may not be read. This is not a URL."


def test_redirect_to_a_malformed_url_names_the_host_that_redirects() -> None:
    with AnyServer(redirect("http://[bad/x.tif")) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert error.value.message == f"The host {server.host} redirects to an address that is not a URL."


def test_redirects_in_a_circle_are_given_up() -> None:
    with AnyServer(redirect("/again.tif")) as server, pytest.raises(SceneUnreadable) as error:
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))
    assert 2 <= len(server.asked) <= 11
    assert "redirect" in error.value.message


def test_redirect_without_a_target_is_unreadable() -> None:
    with AnyServer(status(302)) as server, pytest.raises(SceneUnreadable):
        ask(RemoteFile(url=f"{server.url}/red.tif"), config_of(server))


def test_body_of_a_redirect_is_not_read() -> None:
    def endless_redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/again.tif")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(1 << 10):
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent.append(0x10000)

    sent: list[int] = []
    with Host(endless_redirect) as host, reading(host) as file, pytest.raises(SceneUnreadable, match="again"):
        read_span(file)
    assert sum(sent) < 32 << 20  # what fits into the sockets of a few answers
