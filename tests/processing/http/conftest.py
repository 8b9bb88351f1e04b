import socket
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from tests.processing.http.addresses import NAMES

Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
Lookup = Callable[..., list[Found]]


@pytest.fixture
def no_real_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `NAMES` resolve, and addresses in the spellings that the system knows. No host is asked."""
    resolve: Lookup = socket.getaddrinfo

    def getaddrinfo(host: str | bytes, port: int, family: int = 0, *options: int, **named: int) -> list[Found]:
        encoded = host.encode("idna").decode() if isinstance(host, str) else host.decode()
        found: list[Found] = []
        for address in NAMES.get(encoded, [encoded]):
            found += resolve(address, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The address of every attempt to connect. Only those to this machine are made."""
    attempts: list[tuple[str, int]] = []
    connect = urllib3.util.connection.create_connection

    def create_connection(address: tuple[str, int], *options: Any, **named: Any) -> Any:
        attempts.append(address)
        if address[0] != "127.0.0.1":
            raise OSError("no packet leaves this machine")
        return connect(address, *options, **named)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create_connection)
    return attempts
