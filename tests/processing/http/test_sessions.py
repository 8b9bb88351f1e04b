"""Sessions with hosts that are not ours: no connection to a private address, no redirect, no proxy, no rebinding."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from processing.http.guard import ForbiddenAddress, check_form, check_url, open_session
from tests.processing.http.addresses import LOOPBACK, NOT_PUBLIC, PUBLIC
from tests.raster.support.misbehaving import owner_of
from tests.servers import HttpServer

pytestmark = pytest.mark.usefixtures("no_real_names")


class CountingHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        owner = owner_of(self, CountingServer)
        owner.hits.append(self.path)
        self.send_response(302 if self.path == "/moved" else 204)
        self.send_header("Location", f"{owner.url}/elsewhere")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class CountingServer(HttpServer):
    def __init__(self) -> None:
        self.hits: list[str] = []
        super().__init__(CountingHandler)

    @property
    def port(self) -> str:
        return self.host.partition(":")[2]


@pytest.fixture(scope="module")
def one_server() -> Iterator[CountingServer]:
    with CountingServer() as counting:
        yield counting


@pytest.fixture
def server(one_server: CountingServer) -> CountingServer:
    one_server.hits.clear()
    return one_server


def visit(url: str, private_hosts: frozenset[str] = frozenset()) -> requests.Response:
    with open_session(url, private_hosts, (2.0, 2.0)) as session:
        return session.get(url)


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_nothing_connects_to_an_address_that_is_not_public(
    server: CountingServer, connections: list[tuple[str, int]], host: str, scheme: str
) -> None:
    with pytest.raises((ForbiddenAddress, requests.RequestException)):
        visit(f"{scheme}://{host}:{server.port}/")
    assert connections == []
    assert server.hits == []


@pytest.mark.parametrize("whole_host", [True, False])
def test_named_host_is_reached_by_plain_http(
    server: CountingServer, connections: list[tuple[str, int]], whole_host: bool
) -> None:
    allowed = frozenset({"127.0.0.1" if whole_host else server.host})
    check_url(f"{server.url}/file", allowed)
    check_form(f"{server.url}/file", allowed)
    assert visit(f"{server.url}/file", allowed).status_code == 204
    assert server.hits == ["/file"]
    assert connections == [("127.0.0.1", int(server.port))]


def test_named_host_and_port_allow_no_other_port_or_host(server: CountingServer) -> None:
    with CountingServer() as other:
        allowed = frozenset({other.host})
        for url in (f"{server.url}/", f"http://localhost:{other.port}/", "http://127.0.0.1/", "http://127.0.0.2/"):
            with pytest.raises(ForbiddenAddress):
                check_url(url, allowed)
            with pytest.raises((ForbiddenAddress, requests.RequestException)):
                visit(url, allowed)
        assert (server.hits, other.hits) == ([], [])


@pytest.mark.parametrize("url", ["http://user:pass@127.0.0.1:%s/", "ftp://127.0.0.1:%s/"])
def test_named_host_still_needs_a_safe_form(server: CountingServer, url: str) -> None:
    allowed = frozenset({"127.0.0.1"})
    with pytest.raises(ForbiddenAddress):
        check_url(url % server.port, allowed)
    with pytest.raises(ForbiddenAddress):
        visit(url % server.port, allowed)
    assert server.hits == []


def test_redirects_are_not_followed(server: CountingServer) -> None:
    assert visit(f"{server.url}/moved", frozenset({server.host})).status_code == 302
    assert server.hits == ["/moved"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, server: CountingServer) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    assert visit(f"{server.url}/", frozenset({server.host})).status_code == 204


class Rebinding:
    """A name that resolves to each of `addresses` in turn, and to the last one for ever."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    def __call__(self, host: str, port: int, *options: int, **named: int) -> list[Any]:
        assert host == "rebinding.example"
        address = self.addresses[min(self.asked, len(self.addresses) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_name_that_turns_private_after_the_check_is_refused(
    monkeypatch: pytest.MonkeyPatch, connections: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Rebinding(PUBLIC, "127.0.0.1"))
    check_url("https://rebinding.example/", frozenset())
    with pytest.raises((ForbiddenAddress, requests.RequestException)):
        visit("https://rebinding.example/")
    assert connections == []


def test_connection_goes_to_the_very_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, connections: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Rebinding(PUBLIC, PUBLIC, "127.0.0.1"))
    check_url("https://rebinding.example/", frozenset())
    with pytest.raises(requests.RequestException):
        visit("https://rebinding.example/")
    assert connections == [(PUBLIC, 443)]
