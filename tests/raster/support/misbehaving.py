"""Servers that answer in every way that a catalogue, a store of files or a proxy before them can."""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeVar

from tests.servers import HttpServer

Answer = Callable[[BaseHTTPRequestHandler], None]
Server = TypeVar("Server", bound=HttpServer)
LOGIN_PAGE = b"<!doctype html><html><body><form action='/login'>Sign in</form></body></html>"


def owner_of(handler: BaseHTTPRequestHandler, kind: type[Server]) -> Server:
    """The server that the handler serves."""
    owner = getattr(handler.server, "owner", None)
    assert isinstance(owner, kind)
    return owner


class AnyServer(HttpServer):
    """Sends `answers` one after the other, the last one for ever. `asked` holds (method, path with query, body)."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, bytes]] = []
        self.bytes_sent = 0
        super().__init__(_Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = owner_of(self, AnyServer)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = owner.answers[min(len(owner.asked), len(owner.answers) - 1)]
        owner.asked.append((self.command, self.path, body))
        self.close_connection = True
        answer(self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def handle(self) -> None:
        with suppress(OSError):  # the client may hang up early
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _send(handler: BaseHTTPRequestHandler, part: bytes) -> None:
    handler.wfile.write(part)
    owner_of(handler, AnyServer).bytes_sent += len(part)


def content(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None, cut: int = 0) -> Answer:
    """The length that it names is `cut` bytes more than it sends."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body) + cut), "Connection": "close", **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        _send(handler, body)

    return answer


def as_json(value: Any) -> Answer:
    return content(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def status(code: int, **headers: str) -> Answer:
    return content(b"{}", code, {name.replace("_", "-"): value for name, value in headers.items()})


def redirect(target: str, code: int = 302) -> Answer:
    return content(b"", code, {"Location": target})


def silence(handler: BaseHTTPRequestHandler) -> None:
    """Takes the request and sends nothing until the client gives up."""
    handler.connection.settimeout(10)
    handler.rfile.read(1)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Chunk upon chunk until the client hangs up; a gigabyte at most."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(1 << 14):
        _send(handler, chunk)


def drop_by_drop(start: bytes) -> Answer:
    """`start`, then one byte in a twentieth of a second, for six seconds or until the client gives up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        handler.wfile.flush()
        pause = threading.Event()  # not time.sleep, which a later test may have replaced
        for _ in range(120):
            pause.wait(0.05)
            _send(handler, b" ")

    return answer


SLOW_BODY = drop_by_drop(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
SLOW_BODY_OF_UNKNOWN_LENGTH = drop_by_drop(b"HTTP/1.1 200 OK\r\n\r\n")
SLOW_HEADERS = drop_by_drop(b"HTTP/1.1 200 OK\r\nX-Slow: ")
