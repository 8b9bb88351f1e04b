"""Results on the local disk, behind links that are signed, expire and name no path."""

import hmac
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.crypto import salted_hmac

_SALT = "processing.results.link"


class LinkTampered(Exception):
    """The link was not made here, or was changed."""


class LinkExpired(Exception):
    """The link was good once."""


class SignedLocalStorage(FileSystemStorage):
    """FileSystemStorage whose `url` signs, as that of an S3 bucket does. The key goes into the link's path.

    What is saved stays, as in a bucket, even where the power fails a moment later.
    """

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length)
        path = Path(self.path(saved))
        folders = (folder for folder in path.parents if folder.is_relative_to(self.location))
        for place in (path, *folders):  # a file's name is kept by its folder
            _flush(place)
        return saved

    def url(self, name: str | None, parameters: Any = None, expire: int = 3600) -> str:
        """Path and query of a link to the file that is good for `expire` seconds."""
        return self.signed_url(str(name), int(time.time()) + expire)

    def signed_url(self, name: str, expires: int) -> str:
        query = urlencode({"expires": expires, "sig": _signature(name, expires)})
        return f"{self.base_url}{name}?{query}"


def check_link(name: str, expires: str, signature: str) -> None:
    """Raise LinkTampered or LinkExpired unless the link to the stored file `name` holds now."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise LinkTampered
    if not hmac.compare_digest(_signature(name, int(expires)).encode(), signature.encode()):
        raise LinkTampered
    if int(expires) < time.time():
        raise LinkExpired


class MovableFile(File):  # type: ignore[type-arg]  # not subscriptable at run time
    """A finished file that a local storage may move into place in one step instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def _flush(place: Path) -> None:
    """Have the disk keep a file or folder as it is. Raises OSError."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _signature(name: str, expires: int) -> str:
    return salted_hmac(_SALT, f"{expires}:{name}", algorithm="sha256").hexdigest()
