"""Byte ranges of remote files: right bytes or a named error, whatever the host does."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.http import retry
from processing.raster.errors import ProviderUnavailable, SceneTooLarge, SceneUnreadable
from processing.raster.files import connections, ranges
from processing.raster.files.connections import Connections
from processing.raster.files.ranges import RemoteBytes, Span
from processing.raster.types import RemoteFile, S3Access, S3File
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import (
    SLOW_BODY,
    SLOW_BODY_OF_UNKNOWN_LENGTH,
    SLOW_HEADERS,
    Answer,
    AnyServer,
    content,
    drop_by_drop,
    redirect,
    status,
)
from tests.servers import HttpServer, RangeServer, _RangeHandler

BYTES = np.random.default_rng(5).bytes(1000)
ALL = Span(0, len(BYTES))


class Host(AnyServer):
    """Holds the headers of each request, too."""

    def __init__(self, *answers: Answer) -> None:
        self.headers: list[dict[str, str]] = []
        super().__init__(*map(self._noting, answers))

    def _noting(self, answer: Answer) -> Answer:
        def noted(handler: BaseHTTPRequestHandler) -> None:
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            answer(handler)

        return noted

    @property
    def ranges(self) -> list[str]:
        return [headers["range"] for headers in self.headers]


def part(body: bytes, most: int | None = None, more: int = 0, **headers: str) -> Answer:
    """What was asked for of `body`, and `more` bytes; breaks off after `most` bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first, last = (int(end) for end in re.findall(r"\d+", handler.headers["Range"]))
        sent = body[first : last + 1 + more]
        told = {"Content-Range": f"bytes {first}-{first + len(sent) - 1}/{len(body)}", **headers}
        content(sent[:most], 206, told, cut=len(sent) - len(sent[:most]))(handler)

    return answer


def chunked(body: bytes, *, ends: bool = True) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:300], body[300:])]
        end = b"0\r\n\r\n" if ends else b""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + end)

    return answer


@contextmanager
def reading(server: HttpServer, source: RemoteFile | S3File | None = None, **more: Any) -> Iterator[RemoteBytes]:
    settings = config_for(private_hosts=frozenset({server.host}), **more)
    with Connections() as hosts:
        yield RemoteBytes.of(source or RemoteFile(url=f"{server.url}/red.tif"), settings.network, hosts)


def read(file: RemoteBytes, span: Span = ALL) -> bytes:
    """What is given of the file, from the span's start on; nothing is given in pieces that do not join."""
    got = bytearray()

    def take(offset: int, piece: bytes) -> None:
        assert offset <= span.start + len(got)  # a host without ranges begins at the file's start once more
        got[offset - span.start :] = piece

    file.read(span, take)
    return bytes(got)


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before further tries, none of which is made."""
    made: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", made.append)
    return made


# --- Answers that end early -----------------------------------------------------------------------------------------


def test_answer_that_breaks_off_is_resumed_where_it_stopped() -> None:
    with Host(part(BYTES, 400), part(BYTES, 250), part(BYTES)) as host, reading(host) as file:
        assert read(file) == BYTES
    assert host.ranges == ["bytes=0-999", "bytes=400-999", "bytes=650-999"]


def test_host_that_breaks_off_again_and_again_is_given_up() -> None:
    with Host(part(BYTES, 10)) as host, reading(host) as file, pytest.raises(ProviderUnavailable) as error:
        read(file)
    assert len(host.asked) == len(retry._RETRY_DELAYS) + 1
    assert error.value.details == {"host": host.host}


@pytest.mark.parametrize("span", [ALL, Span(0, 100), Span(0, 400)])
@pytest.mark.parametrize("broken", [content(BYTES[:400], cut=600), chunked(BYTES[:400], ends=False)])
def test_whole_file_that_breaks_off_is_asked_for_again(broken: Answer, span: Span) -> None:
    with Host(broken, content(BYTES)) as host, reading(host) as file:
        assert read(file, span) == BYTES
    for first, last in (re.findall(r"\d+", asked) for asked in host.ranges):
        assert int(first) <= int(last)


# --- Hosts that fail for now ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [429, 503])
def test_host_that_asks_for_a_short_pause_is_given_it(code: int, naps: list[float]) -> None:
    with Host(status(code, Retry_After="7"), part(BYTES)) as host, reading(host) as file:
        assert read(file) == BYTES
    assert naps == [7]


@pytest.mark.parametrize(("seconds", "tries"), [("7", 4), ("3600", 1)])
def test_host_that_stays_away_is_given_up_until_when_it_says(seconds: str, tries: int, naps: list[float]) -> None:
    busy = status(503, Retry_After=seconds)
    with Host(busy) as host, reading(host) as file, pytest.raises(ProviderUnavailable) as error:
        read(file)
    assert error.value.details == {"host": host.host, "retry_after": int(seconds)}
    assert (len(host.asked), naps) == (tries, [7] * (tries - 1))


# --- Whole files in place of parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [content(BYTES), chunked(BYTES), content(BYTES, headers={"ETag": '"one"'})])
def test_host_that_ignores_ranges_gives_the_whole_file(answer: Answer) -> None:
    with Host(answer) as host, reading(host) as file:
        assert read(file, Span(0, 10)) == BYTES
        assert file.size == len(BYTES)
    assert len(host.asked) == 1


@pytest.mark.parametrize("answer", [content(BYTES), chunked(BYTES), content(b"", cut=10**12)])
def test_whole_file_that_is_too_large_is_refused(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "_MOST_BYTES", len(BYTES) - 1)
    with Host(answer) as host, reading(host) as file, pytest.raises(SceneTooLarge):
        read(file)
    assert len(host.asked) == 1


def test_host_that_gives_no_parts_any_more_is_refused() -> None:
    with Host(part(BYTES), content(BYTES)) as host, reading(host) as file:
        read(file, Span(0, 10))
        with pytest.raises(SceneUnreadable):
            read(file, Span(10, 20))


# --- Parts that are not what was asked for --------------------------------------------------------------------------

RANGES = ["", "bytes */1000", "bytes 0-999/*", "bytes 1-999/1000", "0-999/1000", "bytes 0-999", "bytes -0-999/1000",
          "items 0-999/1000", "bytes 0-999/1e3", "bytes 0-999/" + "9" * 5000, "bytes \u0660-999/1000"]  # fmt: skip


@pytest.mark.parametrize("told", RANGES)
def test_part_that_is_told_wrongly_is_refused(told: str) -> None:
    headers = {"Content-Range": told} if told.isascii() else {"Content-Range": told.encode().decode("latin-1")}
    answer = content(BYTES, 206, headers if told else {})
    with Host(answer) as host, reading(host) as file, pytest.raises(SceneUnreadable) as error:
        read(file)
    assert (len(host.asked), error.value.details) == (1, {"host": host.host})


def test_more_than_was_asked_for_is_left() -> None:
    with Host(part(BYTES, more=500)) as host, reading(host) as file:
        assert [read(file, span) for span in (Span(0, 10), Span(10, 300))] == [BYTES[:10], BYTES[10:300]]


def test_span_that_goes_beyond_the_file_ends_with_it() -> None:
    with Host(part(BYTES)) as host, reading(host) as file:
        assert read(file, Span(0, 5000)) == BYTES
    assert len(host.asked) == 1


@pytest.mark.parametrize("other", [part(BYTES, ETag='"two"'), part(BYTES + b"x", ETag='"one"'), part(BYTES)])
@pytest.mark.parametrize("broken_off", [None, 5])
def test_file_that_is_replaced_while_it_is_read_is_refused(other: Answer, broken_off: int | None) -> None:
    refused = pytest.raises(SceneUnreadable, match="replaced")
    with Host(part(BYTES, broken_off, ETag='"one"'), other) as host, reading(host) as file, refused:
        [read(file, span) for span in (Span(0, 10), Span(10, 20))]
    assert len(host.asked) == 2


# --- Answers drop by drop -------------------------------------------------------------------------------------------


def slow_part(handler: BaseHTTPRequestHandler) -> None:
    first, last = re.findall(r"\d+", handler.headers["Range"])
    told = f"Content-Length: 1000\r\nContent-Range: bytes {first}-{last}/1000"
    drop_by_drop(f"HTTP/1.1 206 Partial Content\r\n{told}\r\n\r\n".encode())(handler)


SLOW = {
    "part": slow_part,
    "whole file": SLOW_BODY,
    "whole file of unknown length": SLOW_BODY_OF_UNKNOWN_LENGTH,
    "chunk": drop_by_drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"),
}
SLOW_TO_BEGIN = {
    "status": drop_by_drop(b"HTTP/1.1 200 "),
    "headers": SLOW_HEADERS,
    "size of a chunk": drop_by_drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
}


@pytest.mark.parametrize("kind", [*SLOW, *SLOW_TO_BEGIN])
def test_answer_of_one_byte_at_a_time_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came until then is not taken for the whole file."""
    monkeypatch.setattr(retry, "_RETRY_DELAYS", (0.0,))
    if kind in SLOW:
        monkeypatch.setattr(ranges, "_LONGEST_ANSWER", 0.5)
    else:
        monkeypatch.setattr(connections, "_LONGEST_CONNECTION", 0.5)
    begun = time.monotonic()
    with Host({**SLOW, **SLOW_TO_BEGIN}[kind]) as host, reading(host) as file, pytest.raises(ProviderUnavailable):
        read(file)
    assert len(host.asked) == 2
    assert time.monotonic() - begun < 4


# --- Connections ----------------------------------------------------------------------------------------------------


class CountingServer(RangeServer):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.connections = 0
        self._server.RequestHandlerClass = _CountingHandler


class _CountingHandler(_RangeHandler):
    def setup(self) -> None:
        self.server.owner.connections += 1  # type: ignore[attr-defined]
        super().setup()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CountingServer]:
    with CountingServer(tmp_path / "store") as server:
        yield server


def test_connection_is_used_again(store: CountingServer) -> None:
    (store.folder / "red.tif").write_bytes(BYTES)
    with reading(store) as file:
        assert b"".join(read(file, Span(start, start + 200)) for start in range(0, 1000, 200)) == BYTES
    assert (len(store.requests), store.connections) == (5, 1)


def test_many_threads_get_the_right_bytes_over_few_connections(store: CountingServer) -> None:
    body = BYTES * 1000
    (store.folder / "red.tif").write_bytes(body)
    starts = np.random.default_rng(6).integers(0, len(body), 200).tolist()
    with reading(store) as file, ThreadPoolExecutor(8) as threads:
        read(file, Span(0, 1))
        got = threads.map(lambda start: read(file, Span(start, start + 5000)), starts)
        assert list(got) == [body[start : start + 5000] for start in starts]
    assert store.connections <= 9


# --- Buckets --------------------------------------------------------------------------------------------------------

OBJECT = S3File(bucket="scenes", key="red.tif")


def access(host: HttpServer) -> S3Access:
    return S3Access(access_key="AKREADER", secret_key="x", region="us-east-1", endpoint=host.url)


def signed_for(host: Host) -> list[str]:
    """The region in the scope of each request's signature."""
    return [headers["authorization"].partition("Credential=")[2].split("/")[2] for headers in host.headers]


@pytest.mark.parametrize("code", [301, 307, 400])
def test_bucket_of_another_region_is_asked_again_there(code: int) -> None:
    elsewhere = status(code, x_amz_bucket_region="us-west-2")
    with Host(elsewhere, part(BYTES)) as host, reading(host, OBJECT, s3=access(host)) as file:
        assert b"".join(read(file, span) for span in (Span(0, 400), Span(400, 1000))) == BYTES
    assert signed_for(host) == ["us-east-1", "us-west-2", "us-west-2"]


@pytest.mark.parametrize("region", ["us-east-1", "evil.example/", "EU", "x" * 33, ""])
def test_answer_that_names_no_other_region_is_refused(region: str) -> None:
    refused = pytest.raises(SceneUnreadable)
    with Host(status(400, x_amz_bucket_region=region)) as host, reading(host, OBJECT, s3=access(host)) as file, refused:
        read(file)
    assert signed_for(host) == ["us-east-1"]


def test_bucket_that_is_always_in_another_region_is_given_up() -> None:
    answers = (status(301, x_amz_bucket_region=f"region-{number}") for number in range(20))
    with Host(*answers) as host, reading(host, OBJECT, s3=access(host)) as file, pytest.raises(SceneUnreadable):
        read(file)
    assert len(host.asked) < 8


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("with_region", [False, True])
def test_credentials_of_a_bucket_go_to_no_other_host(code: int, with_region: bool) -> None:
    with Host(part(BYTES)) as other:
        region = {"x-amz-bucket-region": "us-west-2"} if with_region else {}
        away = content(b"", code, {"Location": f"{other.url}/red.tif", **region})
        with Host(away) as host, reading(host, OBJECT, s3=access(host)) as file, pytest.raises(SceneUnreadable):
            read(file)
        assert other.asked == []


def test_other_files_bear_no_credentials() -> None:
    with Host(redirect("/other.tif"), part(BYTES)) as host, reading(host, s3=access(host)) as file:
        read(file)
    assert len(host.headers) == 2
    assert not [headers for headers in host.headers if "authorization" in headers]


# --- What an attacker tries -----------------------------------------------------------------------------------------


def test_body_of_a_redirect_is_not_read() -> None:
    def endless_redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/again.tif")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(1 << 10):
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent.append(0x10000)

    sent: list[int] = []
    with Host(endless_redirect) as host, reading(host) as file, pytest.raises(SceneUnreadable, match="again"):
        read(file)
    assert sum(sent) < 32 << 20  # what fits into the sockets of four answers


def test_file_of_a_size_that_no_band_has_is_refused() -> None:
    told = content(b"II*\0", 206, {"Content-Range": "bytes 0-3/100000000000000"})
    with Host(told) as host, reading(host) as file, pytest.raises(SceneTooLarge):
        read(file, Span(0, 4))
