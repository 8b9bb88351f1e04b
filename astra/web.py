"""The worker processes of gunicorn, made so that slow clients hold no thread.

One loop (waitress) receives the requests of all connections and sends all answers; a thread takes a request when it is
whole. gunicorn's own threads wait for their clients: sixteen that send nothing stop two processes of eight.
"""

import json
import os
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask

_LOOK_EVERY = 0.5
_SILENT_SECONDS = 60  # after which a connection is closed
_MOST_CONNECTIONS = 800  # of one process; each is a file, of which a process may often open 1024
# The API refuses bodies above 64 KiB itself, with all its headers. More than this is not even received.
_MOST_BODY_BYTES = 1 << 20


class RefusedRequest(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """What is no request at all, such as a wrong request line, is refused in the API's own envelope."""

    def execute(self) -> None:
        error = self.request.error
        body = _envelope(error.code, error.body)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = RefusedRequest


class PatientWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """`gunicorn --worker-class astra.web.PatientWorker`. `--threads` requests are worked on at once."""

    def run(self) -> None:
        server = self._server()
        while self.alive and self.ppid == os.getppid():
            self._look(server)
        server.accepting = False
        end = time.monotonic() + self.cfg.graceful_timeout
        while _is_busy(server) and time.monotonic() < end:
            self._look(server)

    def _server(self) -> Any:
        TcpWSGIServer.channel_class = Channel
        return create_server(
            self.wsgi,
            sockets=[listener.sock for listener in self.sockets],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            connection_limit=_MOST_CONNECTIONS,
            channel_timeout=_SILENT_SECONDS,
            max_request_body_size=_MOST_BODY_BYTES,
            clear_untrusted_proxy_headers=False,  # Django's settings say which ones are believed
            ident=None,
        )

    def _look(self, server: Any) -> None:
        wasyncore.loop(timeout=_LOOK_EVERY, use_poll=True, map=server._map, count=1)
        self.notify()


def _is_busy(server: Any) -> bool:
    """True while a request is worked on or an answer is not yet sent."""
    return any(channel.requests or channel.total_outbufs_len for channel in server.active_channels.values())


def _envelope(status: int, message: str) -> bytes:
    from .exceptions import Problem  # loads Django, which only the workers may do

    problem = next((row for row in Problem if row.status == status), Problem.MALFORMED)
    return json.dumps({"error": {"code": problem.code, "message": problem.message or message, "details": {}}}).encode()
