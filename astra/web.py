"""The worker processes of gunicorn, made so that slow clients hold no thread.

One loop (waitress) receives the requests of all connections and sends all answers; a thread takes a request when it is
whole. gunicorn's own threads wait for their clients: sixteen that send nothing stop two processes of eight.
"""

import json
import os
import subprocess
import sys
import time
from threading import Event
from typing import Any
from uuid import uuid4

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask

from . import __version__

_LOOK_EVERY = 0.5
_SILENT_SECONDS = 60  # after which a connection is closed
_MOST_CONNECTIONS = 800  # of one process; each is a file, of which a process may often open 1024
# The API refuses bodies above 64 KiB itself, with all its headers. More than this is not even received.
_MOST_BODY_BYTES = 1 << 20
# What the server says of requests that it cannot read, by status. Its own words are for those who write servers.
_SENTENCES = {
    400: "This is no proper HTTP request: the request line, a header or the length of the body is malformed.",
    431: "The request line and the headers are longer than 256 KiB.",
    501: "This Transfer-Encoding is not known here. Send the body with its Content-Length, or chunked.",
}

# Set once this process is being stopped, so that whoever waits for something answers its caller first.
stopping = Event()


class RefusedRequest(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """What is no request at all, such as a wrong request line, is refused in the API's own envelope."""

    def execute(self) -> None:
        error = self.request.error
        body = _envelope(error.code)
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Request-Id", uuid4().hex),
            ("X-Astra-Version", __version__),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = RefusedRequest


class PatientWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """`gunicorn --worker-class astra.web.PatientWorker`. `--threads` requests are worked on at once."""

    @classmethod
    def setup(cls) -> None:
        """gunicorn calls this once, before there are workers. Ends the program with 2 if the settings are wrong.

        In a process of its own, because workers must load the code anew when gunicorn is told to.
        """
        done = subprocess.run(
            [sys.executable, "-c", "from astra.starting import start_process; start_process()"], check=False
        )
        if done.returncode:
            sys.exit(done.returncode)

    def run(self) -> None:
        server = self._server()
        while self.alive and self.ppid == os.getppid():
            self._look(server)
        stopping.set()
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


def _envelope(status: int) -> bytes:
    from .exceptions import Problem  # loads Django, which only the workers may do

    problem = next((row for row in Problem if row.status == status), Problem.MALFORMED)
    message = _SENTENCES.get(status, problem.message)
    return json.dumps({"error": {"code": problem.code, "message": message, "details": {}}}).encode()
