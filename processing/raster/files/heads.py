"""The beginnings of remote files that were read lately, so that the next job of the process need not ask for them."""

from dataclasses import dataclass, field
from typing import Any

from processing.http.recent import Recent

from ..types import RemoteFile, S3File

_FRESH_SECONDS = 120
_MOST = 128  # of 100 KB


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first bytes of a file. `version` is that of the whole file, as its host names it (ETag), `size` its length.

    A file without a version has no head here: parts of two versions might be mixed. `facts` are what jobs have found
    out about the file, by names of their own.
    """

    content: bytes
    size: int
    version: str
    facts: dict[str, Any] = field(default_factory=dict)


_heads: Recent[Head] = Recent(seconds=_FRESH_SECONDS, most=_MOST)


def known_head(source: RemoteFile | S3File) -> Head | None:
    return _heads.get(repr(source))


def remember_head(source: RemoteFile | S3File, head: Head) -> None:
    _heads.put(repr(source), head)


def forget_head(source: RemoteFile | S3File) -> None:
    _heads.drop(repr(source))
