"""Results on the local disk, behind links that are signed, expire and name no path."""

import os
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from .signed_links import signed_query


class SignedLocalStorage(FileSystemStorage):
    """Files with signed links that survive a power failure once they are saved, as in an S3 bucket."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length)
        path = Path(self.path(saved))
        folders = (folder for folder in path.parents if folder.is_relative_to(self.location))
        for place in (path, *folders):  # a file's name is kept by its folder
            _flush(place)
        return saved

    def signed_url(self, name: str, expires: int) -> str:
        """Path and query of a link to the file that is good until `expires` (Unix seconds)."""
        return f"{self.base_url}{name}?{signed_query(name, expires)}"


class MovableFile(File):  # type: ignore[type-arg]  # not subscriptable at run time
    """A finished file that a local storage may move into place in one step instead of copying it.

    `content_type` is what a bucket answers with it.
    """

    def __init__(self, file: Any, name: str, content_type: str) -> None:
        super().__init__(file, name)
        self.content_type = content_type

    def temporary_file_path(self) -> str:
        return str(self.name)


def _flush(place: Path) -> None:
    """Force a file or folder onto the disk. Raises OSError."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
