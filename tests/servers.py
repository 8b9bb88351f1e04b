"""Real servers for tests, all on 127.0.0.1 and a free port, all stopped at the end."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import requests


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Any, seconds: float = 30.0, what: str = "the condition") -> Any:
    """The first truthy value of `condition()`; fails the test where none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.05)


class HttpServer:
    """A threaded HTTP server whose handler is `Handler`; a context manager."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def host(self) -> str:
        """host:port, as ASTRA_PRIVATE_HOSTS wants it."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class RangeServer(HttpServer):
    """Files with byte ranges, as object stores serve them.

    `requests` holds (method, path, range) of each, `times` when it came and when it was answered. With `names_versions`
    answers have an ETag.
    """

    names_versions = False

    def __init__(self, folder: Path, delay: float = 0.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.delay = folder, delay
        self.requests: list[tuple[str, str, str | None]] = []
        self.times: list[tuple[float, float]] = []
        self.bytes_sent = 0
        super().__init__(_RangeHandler)

    @property
    def depth(self) -> int:
        """How many requests were made one after another: the most of which none came before the last was answered."""
        count, answered = 0, 0.0
        for began, ended in sorted(self.times, key=lambda times: times[1]):
            if began >= answered:
                count, answered = count + 1, ended
        return count


class _RangeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def _serve(self, *, with_body: bool) -> None:
        owner: RangeServer = self.server.owner  # type: ignore[attr-defined]
        began = time.monotonic()
        self._answer(owner, with_body=with_body)
        owner.times.append((began, time.monotonic()))

    def _answer(self, owner: RangeServer, *, with_body: bool) -> None:
        time.sleep(owner.delay)
        path = owner.folder / self.path.partition("?")[0].lstrip("/")
        owner.requests.append((self.command, self.path, self.headers.get("Range")))
        if not path.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = path.stat().st_size
        first, last, status = 0, size - 1, 200
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last, status = int(match[1]), min(int(match[2] or size - 1), size - 1), 206
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        if owner.names_versions:
            self.send_header("ETag", f'"{path.stat().st_mtime_ns:x}"')
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if with_body:
            with path.open("rb") as file:
                file.seek(first)
                self.wfile.write(file.read(last - first + 1))
            owner.bytes_sent += last - first + 1

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class Receiver(HttpServer):
    """Takes webhooks. `received` holds (headers, body); `answers` are the statuses, the last one for all after."""

    def __init__(self, answers: Sequence[int] = (204,)) -> None:
        self.answers = list(answers)
        self.received: list[tuple[dict[str, str], bytes]] = []
        super().__init__(_ReceiverHandler)

    @property
    def hook(self) -> str:
        return f"{self.url}/hook"


class _ReceiverHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        owner: Receiver = self.server.owner  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = owner.answers[min(len(owner.received), len(owner.answers) - 1)]
        owner.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"{owner.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class StacServer:
    """`rustac serve`: a STAC API in one program, its items in memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def serve(self, collection: str, items: Sequence[Mapping[str, Any]]) -> str:
        """Start with one collection and its items. Returns the API's root."""
        return self.serve_all({collection: items})

    def serve_all(self, items_of: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
        """Start with several collections and their items. Returns the API's root."""
        for name in items_of:
            (self._folder / f"{name}.json").write_text(json.dumps(collection_document(name)))
        features = [{**item, "collection": name} for name, items in items_of.items() for item in items]
        (self._folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        program = Path(sys.executable).with_name("rustac")
        self._process = subprocess.Popen(
            [program, "serve", "--addr", self.host, *(f"{name}.json" for name in items_of), "items.json"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: is_up(self.url), what="the STAC server")
        return self.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


def is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def collection_document(name: str) -> dict[str, Any]:
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": name,
        "license": "other",
        "extent": extent,
        "links": [],
    }
