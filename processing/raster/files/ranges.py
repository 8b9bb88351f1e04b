"""Byte ranges of remote files. Nothing that a host says about a file is believed before it is checked here."""

import re
import time
from collections.abc import Callable
from math import inf
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError

from processing.http.guard import host_of
from processing.http.retry import PassingFault, patiently

from ..errors import ProviderUnavailable, SceneReplaced, SceneTooLarge
from ..types import Network, RemoteFile, S3File
from .locations import Location, location_of, unreadable
from .redirects import final_answer

_MOST_BYTES = 16 << 30  # no band of a catalogue comes near
_LONGEST_ANSWER = 60.0  # seconds, besides the time that the bytes take at the least speed
_LEAST_SPEED = 1 << 20  # bytes a second
_PIECE_BYTES = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_MOST_DIGITS = 15
_BROKEN_OFF = "breaks off in the middle of the file"

# Takes the offset of some bytes in the file, and the bytes.
Take = Callable[[int, bytes], object]


class Span(NamedTuple):
    """The bytes of a file from `start` to before `stop`."""

    start: int
    stop: int


class RemoteBytes:
    """The bytes of one remote file, for any number of threads.

    The first read must begin at byte 0, unless the file is expected to have a size and a version; from then on `size`
    is known, and `version` if the host names one (ETag).
    """

    def __init__(self, location: Location, patience: float = inf) -> None:
        """A host that fails is asked again within `patience` seconds."""
        self._location, self._patience = location, patience
        self.size: int | None = None
        self.version: str | None = None

    @classmethod
    def of(cls, source: RemoteFile | S3File, network: Network) -> "RemoteBytes":
        """Raises SceneUnreadable if there is no access to the source's bucket."""
        return cls(location_of(source, network), inf if network.asks_again else 0.0)

    def expect(self, size: int, version: str) -> None:
        """Refuse the file unless it is still this version."""
        self.size, self.version = size, version

    def read(self, span: Span, take: Take) -> None:
        """Pass the bytes of the span to `take` as they come, up to the end of the file.

        A host that knows no ranges sends the whole file, however little is asked for. Raises SceneUnreadable,
        SceneTooLarge or ProviderUnavailable.
        """
        missing = span

        def take_noted(offset: int, part: bytes) -> None:
            nonlocal missing
            take(offset, part)
            if offset + len(part) < span.stop:
                missing = Span(offset + len(part), span.stop)

        try:
            patiently(lambda: self._read_once(missing, take_noted), self._patience)
        except PassingFault as error:
            raise ProviderUnavailable.at(self._location.host, error.fault, error.retry_after) from error

    def _read_once(self, span: Span, take: Take) -> None:
        wanted = {"Range": f"bytes={span.start}-{span.stop - 1}", "Accept-Encoding": "identity"}
        with final_answer(self._location, wanted) as response:
            if response.status_code == 206:
                self._take_part(response, span, take)
            else:
                self._take_whole(response, take)

    def _take_part(self, response: requests.Response, span: Span, take: Take) -> None:
        sent = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not sent or int(sent[1]) != span.start:
            raise unreadable(response.url, "sends another part of the file than the one asked for")
        self._check_version(int(sent[3]), response)
        stop = min(span.stop, int(sent[3]))
        if _take_until(stop, response, span.start, take) < stop:
            raise PassingFault(_BROKEN_OFF)

    def _take_whole(self, response: requests.Response, take: Take) -> None:
        if self.size is not None:
            raise unreadable(response.url, "no longer sends parts of the file")
        length = response.headers.get("Content-Length", "")
        size = int(length[:_MOST_DIGITS]) if length.isascii() and length.isdigit() else None
        if size is None and not response.raw.chunked:  # a file that is cut off would look whole
            raise PassingFault("does not say where the file ends")
        _refuse_too_large(size or 0, response)
        received = _take_until(_MOST_BYTES + 1 if size is None else size, response, 0, take)
        if size is not None and received < size:
            raise PassingFault(_BROKEN_OFF)
        self._check_version(received, response)

    def _check_version(self, size: int, response: requests.Response) -> None:
        """Parts of two versions of a file must not be mixed."""
        _refuse_too_large(size, response)
        version = response.headers.get("ETag")
        if self.size is None:
            self.size, self.version = size, version
        if (size, version) != (self.size, self.version):
            host = self._location.host
            raise SceneReplaced(f"The file at {host} was replaced while it was read. Submit the job again.", host=host)


def _refuse_too_large(size: int, response: requests.Response) -> None:
    if size > _MOST_BYTES:
        host = host_of(response.url)
        raise SceneTooLarge(f"The host {host} sends more bytes than a band can have.", host=host)


def _take_until(stop: int, response: requests.Response, offset: int, take: Take) -> int:
    """Pass on the bytes from `offset` of the file to before `stop`. Returns the offset at which the answer ends."""
    begun, begin = time.monotonic(), offset
    try:
        while offset < stop and (part := response.raw.read1(min(_PIECE_BYTES, stop - offset))):
            take(offset, part)
            offset += len(part)
            if time.monotonic() - begun > _LONGEST_ANSWER + (offset - begin) / _LEAST_SPEED:
                raise PassingFault("is too slow")
    except HTTPError as error:
        raise PassingFault(_BROKEN_OFF) from error
    return offset
