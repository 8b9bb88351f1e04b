"""A proxy in front of a served instance, which makes the trouble that networks make."""

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_HOP_BY_HOP = ("connection", "transfer-encoding", "keep-alive", "content-length")


@dataclass(kw_only=True)
class Answer:
    """An answer on its way back to the caller."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int = 0  # of the body that HEAD asks about
    cut_after: int | None = None  # bytes of the body after which the connection ends
    before_the_cut: Callable[[], object] = lambda: None


Trouble = Callable[[Answer], Answer | None]  # None: the connection ends without an answer


def refuses(status: int, retry_after: str | None = None) -> Trouble:
    """The API's refusal instead of its answer."""
    code = "RATE_LIMITED" if status == 429 else "SERVICE_UNAVAILABLE"
    body = b'{"error": {"code": "%s", "message": "Later, please.", "details": {}}}' % code.encode()
    headers = {"content-type": "application/json"} | ({"retry-after": retry_after} if retry_after else {})
    return lambda answer: Answer(status=status, headers=headers, body=body)


def loses_the_answer(answer: Answer) -> None:
    """The request is carried out; its caller never hears of it."""


def cuts(after: int) -> Trouble:
    """The connection ends after so many bytes of the body."""
    return lambda answer: Answer(**{**vars(answer), "cut_after": after})


def garbles(answer: Answer) -> Answer:
    """One bit arrives wrong."""
    return Answer(**{**vars(answer), "body": bytes([answer.body[0] ^ 1]) + answer.body[1:]})


def sends_header(name: str, value: str) -> Trouble:
    """The answer, with another value of a header (named in lower case)."""
    return lambda answer: Answer(**{**vars(answer), "headers": {**answer.headers, name: value}})


def both(first: Trouble, second: Trouble) -> Trouble:
    def do(answer: Answer) -> Answer | None:
        changed = first(answer)
        return None if changed is None else second(changed)

    return do


@dataclass(kw_only=True)
class Seen:
    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Proxy:
    """Passes requests on to 127.0.0.1:`port`. A context manager.

    `on(method, part_of_path, trouble, ...)` has the next such requests meet these troubles, one each.
    """

    def __init__(self, port: int) -> None:
        self.behind = port
        self.seen: list[Seen] = []
        self._troubles: list[tuple[str, str, Trouble]] = []
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self._listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def on(self, method: str, part_of_path: str, *troubles: Trouble) -> None:
        self._troubles += [(method, part_of_path, trouble) for trouble in troubles]

    def requests(self, method: str, part_of_path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == method and part_of_path in seen.path]

    def restarts(self, seconds: float) -> Trouble:
        """Nothing listens for so long, beginning with this request."""

        def do(answer: Answer) -> None:
            threading.Thread(target=self._stop).start()
            threading.Timer(seconds, self._listen).start()

        return do

    def trouble_for(self, method: str, path: str) -> Trouble:
        for at, (of_method, part, trouble) in enumerate(self._troubles):
            if method == of_method and part in path:
                del self._troubles[at]
                return trouble
        return lambda answer: answer

    def _listen(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", self._port), _Handler)
        server.daemon_threads = True
        server.owner = self  # type: ignore[attr-defined]
        self._server, self._port = server, server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        owner: Proxy = self.server.owner  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.seen.append(Seen(at=time.monotonic(), method=self.command, path=self.path, headers=headers, body=body))
        answer = owner.trouble_for(self.command, self.path)(self._answer_of(owner.behind, body))
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    do_GET = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def _answer_of(self, port: int, body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(self.command, self.path, body or None, headers)
        came = connection.getresponse()
        answer = Answer(status=came.status, headers=_end_to_end(came.getheaders()), body=came.read())
        answer.length = int(came.getheader("Content-Length") or 0)
        connection.close()
        return answer

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) or answer.length))
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut_after])
        if answer.cut_after is not None:
            answer.before_the_cut()
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _end_to_end(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower() not in _HOP_BY_HOP}
