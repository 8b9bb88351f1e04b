"""A host that answers when a test says so."""

import threading
from pathlib import Path

from tests.raster.support.misbehaving import owner_of
from tests.servers import RangeServer, _RangeHandler


class SlowServer(RangeServer):
    """Answers parts beyond the head only once `may_go` is set, with 503 if `fails`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_go, self.asked, self.fails = threading.Event(), threading.Event(), False
        self._server.RequestHandlerClass = _SlowHandler


class _SlowHandler(_RangeHandler):
    def do_GET(self) -> None:
        server = owner_of(self, SlowServer)
        if not self.headers["Range"].startswith("bytes=0-"):
            server.asked.set()
            server.may_go.wait(20)
            if server.fails:
                server.requests.append(("GET", self.path, self.headers["Range"]))
                self.send_error(503)
                return
        super().do_GET()
