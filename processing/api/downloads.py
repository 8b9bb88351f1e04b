"""A stored file over HTTP: conditions and byte ranges, so that a browser or GDAL can stream a COG (RFC 9110)."""

import os
import re
from email.utils import parsedate_to_datetime
from typing import IO, Any

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from rest_framework.request import Request

from astra.exceptions import ApiError, Problem

from ..links import disposition
from ..models import Job
from ..raster.types import COG_MEDIA_TYPE, PNG_MEDIA_TYPE

_CACHING = "private, max-age=3600"
# Positions with more digits than this lie beyond the end of any file.
_MOST_DIGITS = 18
_ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", flags=re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte of the one range that the header asks for, both included.

    None if the whole file must be sent: for no range, several, or a malformed one. Raises Unsatisfiable.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (_bounded(position) for position in match.groups())
    if first == "":
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(last)), size - 1
    if last != "" and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return int(first), min(int(last or size - 1), size - 1)


def _bounded(position: str) -> str:
    digits = position.lstrip("0") or position[:1]
    return digits if len(digits) <= _MOST_DIGITS else "9" * _MOST_DIGITS


def serve_file(request: Request, job: Job, key: str) -> HttpResponseBase:
    """The job's file or picture, or the part that is asked for. Raises ApiError if it is deleted or the range wrong."""
    try:
        file: IO[Any] = default_storage.open(key)
        changed_at = int(default_storage.get_modified_time(key).timestamp())
    except FileNotFoundError:
        raise ApiError(Problem.EXPIRED) from None
    size, etag = default_storage.size(key), _etag(job, key)
    if (answer := _conditional_answer(request, etag, changed_at)) is not None:
        file.close()
        return answer
    modified = http_date(changed_at)
    try:
        part = _wanted_part(request, size, etag, modified)
    except Unsatisfiable:
        file.close()
        message = f"The file has {size} bytes; the range asked for lies behind its end."
        headers = {"Content-Range": f"bytes */{size}"}
        raise ApiError(Problem.RANGE_NOT_SATISFIABLE, message, {"size": size}, headers) from None
    first, last = part or (0, size - 1)
    file.seek(first)
    response = FileResponse(_Slice(file, last - first + 1), status=206 if part else 200, content_type=_type(job, key))
    response["Content-Length"] = str(last - first + 1)
    if key == job.result_key:
        response["Content-Disposition"] = disposition(job)
    if part:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Last-Modified"] = modified
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = _CACHING
    return response


def _etag(job: Job, key: str) -> str:
    """A picture is as new as the file that it was made of."""
    name = "" if key == job.result_key else key.rpartition("/")[2]
    return f'"{(job.result or {})["file:checksum"]}{name}"'


def _type(job: Job, key: str) -> str:
    return COG_MEDIA_TYPE if key == job.result_key else PNG_MEDIA_TYPE


def _conditional_answer(request: Request, etag: str, changed_at: int) -> HttpResponseBase | None:
    """304 if the caller has this very file; None if it needs the file. Raises ApiError if it wants another version."""
    answer: HttpResponseBase | None = get_conditional_response(request._request, etag, changed_at)
    if answer is not None and answer.status_code == 412:
        raise ApiError(Problem.PRECONDITION_FAILED)
    if answer is not None:
        answer["ETag"], answer["Cache-Control"] = etag, _CACHING
    return answer


class _Slice:
    """`length` bytes of a file from its current position.

    It can be sought, so that the web server sends it without a thread, however slowly the caller reads.
    """

    def __init__(self, file: IO[Any], length: int) -> None:
        self._file, self._start, self._length = file, file.tell(), length

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self.tell())
        content: bytes = self._file.read(left if size < 0 else min(size, left))
        return content

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._length}[whence]
        return self._file.seek(self._start + base + offset) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        self._file.close()


def _wanted_part(request: Request, size: int, etag: str, modified: str) -> tuple[int, int] | None:
    """The range, unless the caller holds another version of the file (If-Range)."""
    header = request.headers.get("Range")
    if header is None or request.method not in ("GET", "HEAD"):
        return None
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != etag and not _same_time(condition, modified):
        return None
    return parse_range(header, size)


def _same_time(condition: str, modified: str) -> bool:
    try:
        return parsedate_to_datetime(condition) == parsedate_to_datetime(modified)
    except (ValueError, TypeError, OverflowError):
        return False
