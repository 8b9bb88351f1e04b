"""Hosts of files, how a job asks them, and the parts of files that they send."""

import json
import re
from contextlib import AbstractContextManager, nullcontext
from http.server import BaseHTTPRequestHandler

import numpy as np

from processing.raster.errors import RasterError
from processing.raster.files.ranges import RemoteBytes, Span
from processing.raster.gdal import gdal_environment
from processing.raster.types import Config, PixelArray, RemoteFile, S3Access, S3File
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import Answer, AnyServer, content
from tests.raster.support.rasters import band, described
from tests.servers import HttpServer

PIXELS: PixelArray = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)
BYTES = np.random.default_rng(5).bytes(1000)
ALL = Span(0, len(BYTES))
FOUR_BYTES = content(b"II*\0", 206, {"Content-Range": "bytes 0-3/4"})


class Host(AnyServer):
    """`headers` holds those of each request."""

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
    """The part of `body` that is asked for, and `more` bytes. Breaks off after `most` bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        first, last = (int(end) for end in re.findall(r"\d+", handler.headers["Range"]))
        sent = body[first : last + 1 + more]
        named = {"Content-Range": f"bytes {first}-{first + len(sent) - 1}/{len(body)}", **headers}
        content(sent[:most], 206, named, cut=len(sent) - len(sent[:most]))(handler)

    return answer


def chunked(body: bytes, *, ends: bool = True) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:300], body[300:])]
        end = b"0\r\n\r\n" if ends else b""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + end)

    return answer


def config_of(*servers: HttpServer, s3: S3Access | None = None) -> Config:
    """Settings that allow these servers and no other private host."""
    return config_for(private_hosts=frozenset(server.host for server in servers), s3=s3)


def reading(
    server: HttpServer, source: RemoteFile | S3File | None = None, s3: S3Access | None = None
) -> AbstractContextManager[RemoteBytes]:
    """The bytes of red.tif on the server, or of `source`."""
    source = source or RemoteFile(url=f"{server.url}/red.tif")
    return nullcontext(RemoteBytes.of(source, config_of(server, s3=s3).network))


def read_span(file: RemoteBytes, span: Span = ALL) -> bytes:
    """The bytes that the file passes on, from the span's start. Fails if there is a gap between them."""
    got = bytearray()

    def take(offset: int, piece: bytes) -> None:
        assert offset <= span.start + len(got)  # a host without ranges begins again at the file's start
        got[offset - span.start :] = piece

    file.read(span, take)
    return bytes(got)


def ask(source: RemoteFile | S3File, config: Config) -> None:
    """Fetch the first bytes of a file."""
    RemoteBytes.of(source, config.network).read(Span(0, 4), lambda offset, piece: None)


def read_pixels(source: RemoteFile | S3File, config: Config) -> PixelArray:
    with gdal_environment(), described(band(source), config) as file:
        return file.overview(1000)


def shown(error: BaseException) -> str:
    """All that a caller sees of an error."""
    assert isinstance(error, RasterError)
    return f"{error} {error.message} {json.dumps(error.details)}"
