"""Catalogues that ask for tokens: the tokens that they issue, and the files that they send for one."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.raster.support.misbehaving import Answer, as_json, owner_of
from tests.servers import RangeServer, _RangeHandler

SECRET = "c2VjcmV0LXNpZ25hdHVyZQ"
FAR_AWAY = "2090-01-01T00:00:00Z"
HOUR = 3600.0


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token(ends: object, text: object = f"sig={SECRET}") -> Answer:
    return as_json({"token": text, "msft:expiry": ends})


class Clock:
    """The time of day, moved by hand. It begins at a full second, as tokens end at one."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


class TokenStore(RangeServer):
    """Sends its files for a token that has not ended. `ends` holds the tokens that it issued, and when each ends."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        super().__init__(folder)
        self.clock, self.ends, self.life = clock, dict[str, float](), HOUR
        self.refused = 0
        self._server.RequestHandlerClass = _TokenHandler

    def issue(self) -> dict[str, str]:
        text = f"{SECRET}{len(self.ends)}"
        self.ends[text] = self.clock() + self.life
        return {"token": f"sig={text}", "msft:expiry": iso(self.ends[text])}


class _TokenHandler(_RangeHandler):
    def _serve(self, *, with_body: bool) -> None:
        store = owner_of(self, TokenStore)
        parts = urlsplit(self.path)
        (sent,) = parse_qs(parts.query).get("sig", [""])
        if parts.path == "/token/sentinel-2-l2a":
            self._send(200, json.dumps(store.issue()).encode())
        elif store.ends.get(sent, 0) > store.clock():
            super()._serve(with_body=with_body)
        else:
            store.refused += 1
            self._send(403, b"")

    def _send(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
