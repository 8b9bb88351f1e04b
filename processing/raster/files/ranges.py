"""Bytes of remote files, asked for range by range. All that the hosts of files say passes through here, unbelieved.

Every step of a redirect is checked before it is taken, and credentials for buckets are sent nowhere else.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import HTTPError

from ...http.guard import ForbiddenAddress, PrivateHosts, open_session
from ...http.recent import Recent
from ...http.retry import PassingFault, patiently, refuse_passing_status
from ..errors import ProviderUnavailable, SceneTooLarge, SceneUnreadable
from ..types import Config, RemoteFile, S3File
from . import buckets
from .tokens import Tokens

# Of a file. No band of a catalogue comes near.
_MOST_BYTES = 16 << 30

_TIMEOUT = (5.0, 20.0)  # connect, and between two parts of an answer: seconds
_LONGEST_ANSWER = 60.0  # seconds, and as long as what has come takes at the least speed
_LEAST_SPEED = 1 << 20  # bytes in a second
_LONGEST_CONNECTION = 300.0  # seconds; only this ends headers that come drop by drop
_MOST_CONNECTIONS = 16  # to one host that are kept
_MOST_REDIRECTS = 3
_PIECE_BYTES = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")

_REGION = re.compile(r"[a-z0-9-]{1,32}")
_MOST_DIGITS = 15
_OTHER_REGION = (301, 307, 400)
_BROKEN_OFF = "breaks off in the middle of the file"
_LEADS_NOWHERE = "redirects to what is no address"

# Is given the offset of some bytes in the file, and the bytes.
Take = Callable[[int, bytes], object]

_tokens = Tokens()
_final_urls: Recent[str] = Recent(seconds=60, most=256)


class Span(NamedTuple):
    """The bytes of a file from `start` to before `stop`."""

    start: int
    stop: int


class Connections:
    """Sessions with the hosts of a job's files: one for each host, for all threads."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str, PrivateHosts], requests.Session] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for session in self._sessions.values():
            session.close()

    def session_for(self, url: str, private_hosts: PrivateHosts) -> requests.Session:
        """Raises ValueError, such as ForbiddenAddress, where the URL leads to no host that may be asked."""
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc, private_hosts)
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = open_session(
                    url, private_hosts, _TIMEOUT, _LONGEST_CONNECTION, connections=_MOST_CONNECTIONS
                )
            return self._sessions[key]


class RemoteBytes:
    """The bytes of one remote file, for any number of threads.

    What is read first begins at byte 0; from then on `size` is known.
    """

    def __init__(self, source: RemoteFile | S3File, config: Config, connections: Connections) -> None:
        self._place: _WebPlace | _BucketPlace = (
            _BucketPlace(source, config) if isinstance(source, S3File) else _WebPlace(source, config)
        )
        self._connections = connections
        self.size: int | None = None
        self._version: str | None = None

    def read(self, span: Span, take: Take) -> None:
        """Give `take` the bytes of the span as they come, as far as the file goes.

        A host that knows no ranges gives the whole file, however little is asked for. Raises SceneUnreadable,
        SceneTooLarge or ProviderUnavailable.
        """
        missing = span

        def take_noted(offset: int, part: bytes) -> None:
            nonlocal missing
            take(offset, part)
            if offset + len(part) < span.stop:
                missing = Span(offset + len(part), span.stop)

        try:
            patiently(lambda: self._read_once(missing, take_noted))
        except PassingFault as fault:
            details = {"retry_after": fault.retry_after} if fault.retry_after else {}
            host = self._place.host
            raise ProviderUnavailable(f"{host} {fault.what}. Try again later.", host=host, **details) from fault

    def _read_once(self, span: Span, take: Take) -> None:
        with self._answer(span) as response:
            if response.status_code == 206:
                self._take_part(response, span, take)
            else:
                self._take_whole(response, take)

    def _take_part(self, response: requests.Response, span: Span, take: Take) -> None:
        told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not told or int(told[1]) != span.start:
            raise _unreadable(response.url, "does not give the part of the file that was asked for")
        self._check_version(int(told[3]), response)
        stop = min(span.stop, int(told[3]))
        if _take_until(stop, response, span.start, take) < stop:
            raise PassingFault(_BROKEN_OFF)

    def _take_whole(self, response: requests.Response, take: Take) -> None:
        if self.size is not None:
            raise _unreadable(response.url, "gives no parts of the file any more")
        told = response.headers.get("Content-Length", "")
        size = int(told[:_MOST_DIGITS]) if told.isascii() and told.isdigit() else None
        if size is None and not response.raw.chunked:  # then a file that is cut off looks like a whole one
            raise PassingFault("does not say where the file ends")
        _refuse_too_large(size or 0, response)
        received = _take_until(_MOST_BYTES + 1 if size is None else size, response, 0, take)
        if size is not None and received < size:
            raise PassingFault(_BROKEN_OFF)
        self._check_version(received, response)

    def _check_version(self, size: int, response: requests.Response) -> None:
        """Parts of two files must not come together."""
        _refuse_too_large(size, response)
        version = response.headers.get("ETag")
        if self.size is None:
            self.size, self._version = size, version
        if (size, version) != (self.size, self._version):
            host = self._place.host
            raise SceneUnreadable(
                f"The file at {host} was replaced while it was read. Submit the job again.", host=host
            )

    @contextmanager
    def _answer(self, span: Span) -> Iterator[requests.Response]:
        """The answer with the file or a part of it, wherever other answers lead first."""
        begun = self._place.url()
        url = self._place.known_end(begun)
        for _ in range(_MOST_REDIRECTS + 1):
            with self._ask(url, self._place.headers(url, span)) as response:
                moved_to = self._place.moved_to(response)
                if moved_to is None:
                    _refuse_other_answers(response)
                    self._place.note_end(begun, url)
                    yield response
                    return
                url = moved_to
        raise _unreadable(begun, "redirects again and again")

    def _ask(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        try:
            session = self._connections.session_for(url, self._place.private_hosts)
            return session.get(url, headers=dict(headers), stream=True)
        except ForbiddenAddress as error:
            raise SceneUnreadable(f"The catalogue names a file that may not be read: {error}") from error
        except InvalidIPAddress as error:
            raise _unreadable(url, "is not a public address, so nothing is read from it") from error
        except requests.exceptions.InvalidURL as error:
            raise _unreadable(url, "is no address") from error
        except (requests.RequestException, HTTPError) as error:
            raise PassingFault("does not answer") from error
        except ValueError as error:
            raise _unreadable(url, "is no address") from error


class _WebPlace:
    """A file behind http(s). Where its catalogue asks for a token, each request bears one that is good."""

    def __init__(self, source: RemoteFile, config: Config) -> None:
        self._source, self.private_hosts = source, config.private_hosts
        self.host = _host(source.url)

    def url(self) -> str:
        url = self._source.url
        if self._source.token_url:
            url += f"{'&' if '?' in url else '?'}{_tokens.get(self._source.token_url, self.private_hosts)}"
        return url

    def known_end(self, url: str) -> str:
        """Where redirects from there ended lately."""
        return _final_urls.get(url) or url

    def note_end(self, url: str, end: str) -> None:
        _final_urls.put(url, end)

    def headers(self, url: str, span: Span) -> Mapping[str, str]:
        return _asking_for(span)

    def moved_to(self, response: requests.Response) -> str | None:
        if not response.is_redirect:
            return None
        try:
            return urljoin(response.url, response.headers["Location"])
        except ValueError as error:
            raise _unreadable(response.url, _LEADS_NOWHERE) from error


class _BucketPlace:
    """A file in a bucket. Requests are signed for the bucket's region, which the store tells where we are wrong."""

    def __init__(self, source: S3File, config: Config) -> None:
        if config.s3 is None:
            raise SceneUnreadable(f"The operator has given no access to buckets such as {source.bucket}.")
        self._source, self._access, self._region = source, config.s3, config.s3.region
        self.private_hosts = config.private_hosts | buckets.hosts_of(config.s3)
        self.host = _host(self.url())

    def url(self) -> str:
        return buckets.url_of(self._source, self._access, self._region)

    def known_end(self, url: str) -> str:
        return url

    def note_end(self, url: str, end: str) -> None:
        """Nothing: only the bucket itself is asked, whatever others are told of its URL."""

    def headers(self, url: str, span: Span) -> Mapping[str, str]:
        return buckets.signed(url, _asking_for(span), self._access, self._region)

    def moved_to(self, response: requests.Response) -> str | None:
        region = response.headers.get("x-amz-bucket-region", self._region)
        if response.status_code in _OTHER_REGION and region != self._region and _REGION.fullmatch(region):
            self._region = region
            return self.url()
        if response.is_redirect:
            raise _unreadable(response.url, "redirects to where the credentials of the bucket must not go")
        return None


def _asking_for(span: Span) -> dict[str, str]:
    return {"Range": f"bytes={span.start}-{span.stop - 1}", "Accept-Encoding": "identity"}


def _refuse_other_answers(response: requests.Response) -> None:
    """Raise PassingFault or SceneUnreadable unless it holds the file or a part of it."""
    refuse_passing_status(response)
    if response.status_code not in (200, 206):
        raise _unreadable(response.url, f"does not give the file: status {response.status_code}")
    if "text/html" in response.headers.get("Content-Type", "").lower():
        raise _unreadable(response.url, "gives a web page, such as a login, in place of the file")


def _refuse_too_large(size: int, response: requests.Response) -> None:
    if size > _MOST_BYTES:
        raise SceneTooLarge(f"{_host(response.url)} sends more than a band can be.", host=_host(response.url))


def _take_until(stop: int, response: requests.Response, offset: int, take: Take) -> int:
    """Hand on what comes, which stands at `offset` of the file; gives the offset at which it ends."""
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


def _unreadable(url: str, what: str) -> SceneUnreadable:
    return SceneUnreadable(f"{_host(url)} {what}.", host=_host(url))


def _host(url: str) -> str:
    """Of a URL; the rest may hold a token."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return "an address that is none"
