"""Which hosts the service may talk to. Addresses come from catalogues and from callers, so none is trusted.

Allowed are public hosts over https, and the operator's `private_hosts` (host or host:port), over plain http too.
"""

import re
import socket
import threading
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests_hardened import Config as HardenedConfig
from requests_hardened import HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress, filter_host
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

PrivateHosts = frozenset[str]

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_DOT = re.compile("[.\u3002\uff0e\uff61]")  # those that internationalised names count as one, too
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")


class ForbiddenAddress(ValueError):
    """The URL is malformed, not https, or leads to an address that is not public."""


def open_session(
    url: str, private_hosts: PrivateHosts, timeout: tuple[float, float], longest: float = 60.0, connections: int = 1
) -> requests.Session:
    """Return a session that can talk to the host of `url` and follows no redirect. Raises ForbiddenAddress.

    The address is checked when the connection is made, so a name that resolves differently the second time gains
    nothing. `timeout` is (connect, read) in seconds. A connection is cut off after `longest` seconds, because a host
    that sends a byte now and then never lets a read time out. `connections` are kept for later requests.
    """
    config = HardenedConfig(
        ip_filter_enable=not is_private_host(parse_url(url, private_hosts), private_hosts),
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=timeout,
        user_agent_override="astra",
    )
    session: requests.Session = HTTPSession(config)
    session.trust_env = False
    # requests reads a redirect's whole body even when told not to follow it. With its target hidden it does not.
    session.get_redirect_target = lambda response: None  # type: ignore[method-assign,assignment]
    if config.ip_filter_enable:
        session.mount("https://", _PublicAdapter(is_https_proto=True))
    for adapter in session.adapters.values():
        pools = adapter.poolmanager  # type: ignore[attr-defined]
        pools.pool_classes_by_scheme = _cut_off_after(longest)
        pools.connection_pool_kw["maxsize"] = connections
    return session


def check_form(url: str, private_hosts: PrivateHosts) -> None:
    """Raise ForbiddenAddress if `url` can never be allowed, by its form or by an IP address that stands in it.

    Looks up no name, so it may be called while a caller waits.
    """
    parts = parse_url(url, private_hosts)
    if _is_address((parts.hostname or "").rstrip(".")):
        check_url(url, private_hosts)


def check_url(url: str, private_hosts: PrivateHosts) -> None:
    """Raise ForbiddenAddress unless `url` leads to a public https host, or to one of the operator's private hosts."""
    parts = parse_url(url, private_hosts)
    if is_private_host(parts, private_hosts):
        return
    try:
        _refuse_unassigned(filter_host(parts.hostname or "", port_of(parts), allow_loopback=False))
    except InvalidIPAddress as error:
        raise ForbiddenAddress(f"{parts.hostname} is not a public address.") from error
    except (requests.RequestException, UnicodeError, OSError) as error:
        raise ForbiddenAddress(f"{parts.hostname} cannot be resolved.") from error


def host_of(url: str) -> str:
    """Host and port of a URL, to name it in a message: the rest may hold a token. Empty if the URL is malformed."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _cut_off_after(longest: float) -> dict[str, type[HTTPConnectionPool]]:
    """Classes of connection pools whose connections live that many seconds at most."""

    class Connection(_CutOff, HTTPConnection):
        seconds = longest

    class SecureConnection(_CutOff, HTTPSConnection):
        seconds = longest

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


class _CutOff:
    """Shuts a connection's socket down after `seconds`, even if a response still reads from it.

    Closing the connection does not cancel that, because a response can outlive its closed connection.
    """

    seconds: float
    sock: socket.socket | None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # of the connection that this is mixed into
        timer = threading.Timer(self.seconds, self._cut, args=[self.sock])
        timer.daemon = True
        timer.start()

    @staticmethod
    def _cut(connected: socket.socket) -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


class _PublicAdapter(IPFilterAdapter):  # type: ignore[misc]  # the library has no types
    """Refuses, when the connection is made, what the library's own filter lets pass."""

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **options)
        _refuse_unassigned(host["host"])
        return host, pool


def _refuse_unassigned(address: str) -> None:
    """Only 2000::/3 is routed in IPv6. Other addresses can embed a private IPv4 address."""
    ip = ip_address(address.strip("[]"))
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        raise InvalidIPAddress(ip)


def parse_url(url: str, private_hosts: PrivateHosts) -> SplitResult:
    """The parts of a URL that may be asked by its form. Raises ForbiddenAddress."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress("This is not a URL.") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        raise ForbiddenAddress("A URL has the form https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("A URL must not carry a user name or password.")
    if parts.scheme != "https" and not is_private_host(parts, private_hosts):
        raise ForbiddenAddress("A URL must begin with https://.")
    return parts


def _is_address(host: str) -> bool:
    """Whether the host is an IP address, old spellings of IPv4 included (0x7f.1, 2130706433)."""
    return ":" in host or host == "localhost" or all(_NUMBER.fullmatch(part) for part in _DOT.split(host))


def is_private_host(parts: SplitResult, private_hosts: PrivateHosts) -> bool:
    """Whether the operator has named this host, or the host with this port."""
    host = parts.hostname or ""
    return bool({host, f"{host}:{port_of(parts)}"} & private_hosts)


def port_of(parts: SplitResult) -> int:
    """The port, whether the URL names it or not."""
    return parts.port or _DEFAULT_PORTS[parts.scheme]
