"""Callers that send one request again and again, each by a connection that stays open."""

import json
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, and the status that its answer must have."""

    port: int
    path: str
    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body).encode()
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", **self.headers}
        headers["Content-Length"] = str(len(content))
        lines = [f"{'GET' if self.body is None else 'POST'} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + content


def per_second(call: Call, count: int, callers: int) -> float:
    """Answers a second, if so many callers send `count` requests in all. Raises ValueError for another status."""
    with ThreadPoolExecutor(callers) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda _: _send(call, count // callers), range(callers)))
    return count / (time.perf_counter() - begun)


def answer_to(call: Call) -> dict[str, Any]:
    with socket.create_connection(("127.0.0.1", call.port), timeout=10) as connection:
        answer: dict[str, Any] = json.loads(_exchange(connection, call))
    return answer


def _send(call: Call, count: int) -> None:
    with socket.create_connection(("127.0.0.1", call.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            _exchange(connection, call)


def _exchange(connection: socket.socket, call: Call) -> bytes:
    """The content of the answer. A library would take more of the machine than the server does."""
    connection.sendall(call.encoded())
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, content = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d" % call.status):
        raise ValueError(received.decode())
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(content) < length:
        content += _more(connection)
    return content


def _more(connection: socket.socket) -> bytes:
    if part := connection.recv(1 << 16):
        return part
    raise ConnectionError("the server has hung up")
