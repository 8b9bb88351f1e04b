"""A file on its way to the disk: under a temporary name until its size and checksum are those that the job names."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from .errors import CannotWrite, CorruptDownload, refusal

_SHA256 = re.compile(r"1220([0-9a-f]{64})")  # multihash: the code of SHA-256, its length, the digest


class PartialFile:
    """A context manager. Leaves the whole file at `path`, or what was there before and nothing else.

    It is the sink of as many answers as are needed. `on_bytes` is called with bytes received and bytes in all.
    """

    def __init__(self, path: Path, result: Mapping[str, Any], on_bytes: Callable[[int, int], None]) -> None:
        self._path, self._on_bytes = path, on_bytes
        self._size, self._digest = int(result.get("file:size") or 0), _digest_of(result.get("file:checksum"))
        self._part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
        self._version: str | None = None
        self.received = 0

    def __enter__(self) -> "PartialFile":
        if self._path.is_dir():
            raise CannotWrite(f"{self._path} is a folder; name a file in it.")
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise CannotWrite(f"Cannot write to {self._path.parent}: {error.strerror}.") from error
        self._hash = hashlib.sha256()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._file.close()
        finally:
            self._part.unlink(missing_ok=True)

    @property
    def is_whole(self) -> bool:
        return 0 < self._size == self.received

    @property
    def headers(self) -> dict[str, str]:
        """Ask for what is missing, or for all of it if the file is another one by now."""
        plain = {"Accept-Encoding": "identity"}
        if not self.received or self._version is None:
            return plain
        return {**plain, "Range": f"bytes={self.received}-", "If-Range": self._version}

    def begin(self, response: httpx2.Response) -> None:
        """Continue, or start again if the answer is the whole file. Raises ApiError for a refusal."""
        if response.is_error:
            raise refusal(response)
        if response.status_code != 206 or not self._continues(response):
            self._start_again()
        etag = response.headers.get("ETag", "")
        self._version = etag if etag.startswith('"') else None  # a weak one does not promise equal bytes

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise CannotWrite(f"Cannot write {self._path}: {error.strerror}.") from error
        self._hash.update(chunk)
        self.received += len(chunk)
        if self.received > self._size:
            raise CorruptDownload(f"More than the {self._size} bytes arrive that the job names.")
        self._on_bytes(self.received, self._size)

    def keep(self) -> Path:
        """Check the whole file and give it its name."""
        if self._digest is not None and self._hash.hexdigest() != self._digest:
            raise CorruptDownload("The file that arrived has another SHA-256 than the job names.")
        try:
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise CannotWrite(f"Cannot write {self._path}: {error.strerror}.") from error
        return self._path

    def _continues(self, response: httpx2.Response) -> bool:
        return response.headers.get("Content-Range", "").startswith(f"bytes {self.received}-")

    def _start_again(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._hash, self.received = hashlib.sha256(), 0


def _digest_of(checksum: Any) -> str | None:
    """The SHA-256 in a multihash. None if the job names no checksum."""
    if checksum is None:
        return None
    if (match := _SHA256.fullmatch(str(checksum).lower())) is None:
        raise CorruptDownload(f"The job's checksum {checksum!r} is no SHA-256, so the file cannot be checked.")
    return match[1]
