"""A STAC API and its files over HTTP with a delay before each answer: `python -m bench.file_server FOLDER DELAY_MS`.

Prints its port. Serves what `bench.large_landscape` wrote; answers every search with all items.
"""

import json
import os
import re
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path
    delay: float

    def handle(self) -> None:
        with suppress(ConnectionError):  # readers leave connections behind
            super().handle()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.delay)
        items = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*/*.json"))]
        for item in items:
            for asset in item["assets"].values():
                asset["href"] = f"http://{self.headers['Host']}/{item['id']}/{Path(asset['href']).name}"
        content = json.dumps({"type": "FeatureCollection", "features": items, "links": []}).encode()
        self._head(200, len(content), "application/json")
        self.wfile.write(content)

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        self._file(with_body=True)

    def _file(self, *, with_body: bool) -> None:
        time.sleep(self.delay)
        path = self.folder / self.path.lstrip("/")
        size = path.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = min(int(wanted[2] or size - 1), size - 1) if wanted else size - 1
        self._head(206 if wanted else 200, last - first + 1, "image/tiff", f"bytes {first}-{last}/{size}")
        if with_body:
            self.wfile.flush()
            with path.open("rb") as file:
                while first <= last:
                    first += os.sendfile(self.connection.fileno(), file.fileno(), first, last - first + 1)

    def _head(self, status: int, length: int, media_type: str, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def main() -> None:
    Handler.folder, Handler.delay = Path(sys.argv[1]), float(sys.argv[2]) / 1000
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
