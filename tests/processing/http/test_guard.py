"""Which addresses may be talked to: hostile ones in every spelling are refused, and nothing connects to them."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests
import urllib3

from processing.http.guard import ForbiddenAddress, check_form, check_url, open_session
from tests.servers import HttpServer

PUBLIC = "93.184.215.14"
NAMES = {
    "localhost": ["127.0.0.1"],
    "localhost.": ["127.0.0.1"],
    "inner.example": ["10.1.2.3"],
    "metadata.google.internal": ["169.254.169.254"],
    "loops.example": ["127.0.0.1"],
    "loops6.example": ["::1"],
    "public.example": [PUBLIC],
    "public6.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
}
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0177.1",
    "0",
    "0.0.0.0",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "loops.example",
    "loops6.example",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
]
NOT_PUBLIC = [
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.192",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "[ff02::1]",
    "240.0.0.1",
    "255.255.255.255",
    "inner.example",
    "metadata.google.internal",
]
MALFORMED = [
    "",
    "public.example",
    "//public.example/",
    "https:public.example",
    "https://",
    "https:///path",
    "https://:443/",
    "https://public.example:0/",
    "https://public.example:65536/",
    "https://public.example:-1/",
    "https://public.example:port/",
    "https://[::1/",
    "https://[::1]extra/",
    "https://user@public.example/",
    "https://user:pass@public.example/",
    "https://:pass@public.example/",
    "https://@public.example/",
    "https://public.example@127.0.0.1/",
    "https://public.example\\@127.0.0.1/",
    "http://public.example/",
    f"http://{PUBLIC}/",
    "ftp://public.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "s3://bucket/key",
    "javascript:alert(1)",
    "/vsicurl/https://public.example/",
    "https://not a name.example/",
    "https://[v1.x]/",
    "https://no..dots.example/",
    "https://.../",
    f"https://{'a' * 64}.example/",
    f"https://{'a.' * 200}example/",
    "https://nul\0.example/",
    "https://unknown.example/",
]


@pytest.fixture(autouse=True)
def _no_real_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the names above resolve, and addresses in the spellings that the system knows; nobody is asked."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, *options: Any, **named: Any) -> Any:
        encoded = host.encode("idna").decode() if isinstance(host, str) else host
        found = []
        for address in NAMES.get(encoded, [encoded]):
            found += resolve(address, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


class CountingHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        owner: Any = self.server.owner  # type: ignore[attr-defined]
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


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that a connection is attempted to. Only one to this machine is made."""
    attempts: list[tuple[str, int]] = []
    connect = urllib3.util.connection.create_connection

    def create_connection(address: tuple[str, int], *options: Any, **named: Any) -> Any:
        attempts.append(address)
        if address[0] != "127.0.0.1":
            raise OSError("no packet leaves this machine")
        return connect(address, *options, **named)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create_connection)
    return attempts


def visit(url: str, private_hosts: frozenset[str] = frozenset()) -> requests.Response:
    with open_session(url, private_hosts, (2.0, 2.0)) as session:
        return session.get(url)


@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_or_unsafe_form_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url, frozenset())


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_address_that_is_not_public_is_refused(host: str, scheme: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(f"{scheme}://{host}:8443/path", frozenset())


@pytest.mark.parametrize("host", LOOPBACK + NOT_PUBLIC)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_nothing_connects_to_an_address_that_is_not_public(
    server: CountingServer, connections: list[tuple[str, int]], host: str, scheme: str
) -> None:
    with pytest.raises((ForbiddenAddress, requests.RequestException)):
        visit(f"{scheme}://{host}:{server.port}/")
    assert connections == []
    assert server.hits == []


@pytest.mark.parametrize(
    "host", [host for host in LOOPBACK + NOT_PUBLIC if host.rstrip(".").lower() == "localhost" or host not in NAMES]
)
def test_form_alone_refuses_addresses_that_a_url_names_outright(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_form(f"https://{host}/", frozenset())


@pytest.mark.parametrize("url", MALFORMED[: MALFORMED.index("https://not a name.example/")])
def test_form_alone_refuses_what_is_malformed(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_form(url, frozenset())


@pytest.mark.parametrize("host", ["public.example", "1and1.example", "inner.example", "unknown.example"])
def test_form_alone_looks_up_no_name(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def getaddrinfo(*asked: Any, **options: Any) -> Any:
        raise AssertionError(f"{asked} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    check_form(f"https://{host}/path?query", frozenset())


@pytest.mark.parametrize("host", ["public.example", "PUBLIC.example", "public6.example", PUBLIC, "8.8.8.8"])
@pytest.mark.parametrize("rest", ["", "/", ":8443/path?query#fragment"])
def test_public_host_is_allowed(host: str, rest: str) -> None:
    check_url(f"https://{host}{rest}", frozenset())
    check_form(f"https://{host}{rest}", frozenset())


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


def test_port_of_the_scheme_counts_where_the_url_names_none() -> None:
    check_url("http://inner.example/", frozenset({"inner.example:80"}))
    check_url("https://inner.example/", frozenset({"inner.example:443"}))
    with pytest.raises(ForbiddenAddress):
        check_url("https://inner.example/", frozenset({"inner.example:80"}))


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
    """A name whose answers change: the first lookups give `addresses`, all later ones the last of them."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    def __call__(self, host: Any, port: Any, *options: Any, **named: Any) -> Any:
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
