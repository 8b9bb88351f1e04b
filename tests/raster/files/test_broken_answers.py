"""Answers that break off or come byte by byte: resumed, asked for again, or given up."""

import re
import time
from http.server import BaseHTTPRequestHandler

import pytest

from processing.http import sessions
from processing.raster.errors import ProviderUnavailable
from processing.raster.files import ranges
from processing.raster.files.ranges import Span
from tests.raster.files.hosts import ALL, BYTES, Host, chunked, part, read_span, reading
from tests.raster.support.misbehaving import (
    SLOW_BODY,
    SLOW_BODY_OF_UNKNOWN_LENGTH,
    SLOW_HEADERS,
    Answer,
    content,
    drop_by_drop,
)


@pytest.mark.usefixtures("naps")
def test_broken_part_is_resumed_where_it_stopped() -> None:
    with Host(part(BYTES, 400), part(BYTES, 250), part(BYTES)) as host, reading(host) as file:
        assert read_span(file) == BYTES
    assert host.ranges == ["bytes=0-999", "bytes=400-999", "bytes=650-999"]


def test_host_that_always_breaks_off_is_given_up(naps: list[float]) -> None:
    with Host(part(BYTES, 10)) as host, reading(host) as file, pytest.raises(ProviderUnavailable) as error:
        read_span(file)
    assert 2 <= len(host.asked) == len(naps) + 1 <= 6
    assert error.value.details == {"host": host.host}


@pytest.mark.usefixtures("naps")
@pytest.mark.parametrize("span", [ALL, Span(0, 100), Span(0, 400)])
@pytest.mark.parametrize("broken", [content(BYTES[:400], cut=600), chunked(BYTES[:400], ends=False)])
def test_broken_whole_file_is_asked_for_again(broken: Answer, span: Span) -> None:
    with Host(broken, content(BYTES)) as host, reading(host) as file:
        assert read_span(file, span) == BYTES
    for first, last in (re.findall(r"\d+", asked) for asked in host.ranges):
        assert int(first) <= int(last)


def slow_part(handler: BaseHTTPRequestHandler) -> None:
    first, last = re.findall(r"\d+", handler.headers["Range"])
    headers = f"Content-Length: 1000\r\nContent-Range: bytes {first}-{last}/1000"
    drop_by_drop(f"HTTP/1.1 206 Partial Content\r\n{headers}\r\n\r\n".encode())(handler)


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


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kind", [*SLOW, *SLOW_TO_BEGIN])
def test_answer_of_one_byte_at_a_time_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that came are not taken for the whole file."""
    if kind in SLOW:
        monkeypatch.setattr(ranges, "_LONGEST_ANSWER", 0.5)
    else:
        monkeypatch.setattr(sessions, "_LONGEST_CONNECTION", 0.5)
    begun = time.monotonic()
    with Host({**SLOW, **SLOW_TO_BEGIN}[kind]) as host, reading(host) as file, pytest.raises(ProviderUnavailable):
        read_span(file)
    assert len(host.asked) == 2
    assert time.monotonic() - begun < 10
