"""A STAC API and its files over HTTP with a delay before each answer: `python -m bench.file_server FOLDER DELAY_MS`.

Prints its port. It shares the cores with what is measured, so it does as little as it can: connections stay open, each
with a thread of its own, and files go from the page cache to the socket.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_MOST_BYTES = 1 << 16
_QUEUE = 128
_SEND_BUFFER = 4 << 20  # more than an answer, so that its thread is not woken again and again to go on with it


class Server:
    def __init__(self, folder: Path, delay: float) -> None:
        self._folder, self._delay = folder, delay
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=_QUEUE)
        self.port: int = self._socket.getsockname()[1]
        self._items = [self._item(path) for path in sorted(folder.glob("*/*.json"))]

    def serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _item(self, path: Path) -> Mapping[str, Any]:
        """As it lies in the folder, but with addresses of this server."""
        item: dict[str, Any] = json.loads(path.read_text())
        for asset in item["assets"].values():
            asset["href"] = f"http://127.0.0.1:{self.port}/{path.parent.name}/{Path(asset['href']).name}"
        return item

    def _serve_connection(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Some systems' default paces what is sent, which wakes readers on the same machine twice as often.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        with connection, suppress(ConnectionError):  # readers leave connections behind
            received = b""
            while True:
                while _END_OF_HEAD not in received:
                    part = connection.recv(_MOST_BYTES)
                    if not part:
                        return
                    received += part
                head, _, received = received.partition(_END_OF_HEAD)
                received = self._answer(connection, head, received)

    def _answer(self, connection: socket.socket, head: bytes, received: bytes) -> bytes:
        """Answer one request; returns the bytes received after it."""
        method, path = head.split(b" ", 2)[:2]
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        while len(received) < length:
            received += connection.recv(_MOST_BYTES)
        time.sleep(self._delay)
        if method == b"POST":
            content = json.dumps(self._search(json.loads(received[:length]))).encode()
            connection.sendall(_head("200 OK", len(content), "application/json") + content)
        else:
            self._send_file(connection, path.decode(), head, with_body=method == b"GET")
        return received[length:]

    def _search(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The items of those ids, or sensed in that time."""
        first, _, last = asked.get("datetime", "/~").partition("/")  # all that a time can begin with is less than ~
        features = [
            item
            for item in self._items
            if first <= item["properties"]["datetime"] <= last and item["id"] in asked.get("ids", [item["id"]])
        ]
        return {"type": "FeatureCollection", "features": features, "links": []}

    def _send_file(self, connection: socket.socket, path: str, head: bytes, *, with_body: bool) -> None:
        try:
            file, size, version = _open(self._folder / path.lstrip("/"))
        except OSError:
            connection.sendall(_head("404 Not Found", 0, "text/plain"))
            return
        wanted = _RANGE.search(head)
        first = int(wanted[1]) if wanted else 0
        last = min(int(wanted[2] or size - 1), size - 1) if wanted else size - 1
        part = f"Content-Range: bytes {first}-{last}/{size}\r\n" if wanted else ""
        status = "206 Partial Content" if wanted else "200 OK"
        part += f'ETag: "{version}"\r\n'
        # The head waits for the beginning of the file, to leave in one packet with it.
        connection.send(_head(status, last - first + 1, "image/tiff", part), socket.MSG_MORE if with_body else 0)
        while with_body and first <= last:
            first += os.sendfile(connection.fileno(), file, first, last - first + 1)


@cache
def _open(path: Path) -> tuple[int, int, str]:
    """Descriptor, size and version of a file, which stays open."""
    file = os.open(path, os.O_RDONLY)
    found = os.fstat(file)
    return file, found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns:x}"


def _head(status: str, length: int, media_type: str, more: str = "") -> bytes:
    lines = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\n"
    return f"{lines}{more}\r\n".encode()


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server in a process of its own."""

    root: str
    process_id: int

    @property
    def cpu(self) -> float:
        """Seconds that its threads have computed so far."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(folder: Path, delay: float) -> Iterator[RunningServer]:
    """The items in `folder` and their files, by a server that waits so many milliseconds before each answer."""
    command = [sys.executable, "-m", "bench.file_server", str(folder), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield RunningServer(root=f"http://127.0.0.1:{port}", process_id=process.pid)
        finally:
            process.terminate()


if __name__ == "__main__":
    server = Server(Path(sys.argv[1]), float(sys.argv[2]) / 1000)
    print(server.port, flush=True)
    server.serve()
