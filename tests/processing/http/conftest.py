import socket
from collections.abc import Callable
from typing import Any

import pytest

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
