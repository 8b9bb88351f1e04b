"""The files in the storage of results, on the local disk or in S3, also those that no job knows."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from django.core.files.storage import storages

from .local_storage import SignedLocalStorage


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    key: str
    modified_at: datetime


class StoredFiles(Protocol):
    """The files whose keys begin with `jobs/`, and what storing them may leave behind. `before` means: last changed."""

    def __iter__(self) -> Iterator[StoredFile]: ...

    def delete(self, key: str) -> None: ...

    def has(self, key: str) -> bool: ...

    def old_folders(self, before: datetime, remove: bool) -> int:
        """How many folders are empty; they are removed if `remove` says so."""
        ...

    def old_uploads(self, before: datetime, abort: bool) -> int:
        """How many uploads in parts were never finished; they are aborted if `abort` says so."""
        ...


_PREFIX = "jobs/"


def stored_files() -> StoredFiles:
    """Those of the storage that the settings name."""
    storage = storages["default"]
    return LocalFiles(storage) if isinstance(storage, SignedLocalStorage) else S3Files(storage)


class LocalFiles:
    def __init__(self, storage: SignedLocalStorage) -> None:
        self._storage, self._root = storage, Path(storage.location)

    def __iter__(self) -> Iterator[StoredFile]:
        """One at a time, so that memory does not grow with their number."""
        return self._below(self._root / _PREFIX)

    def delete(self, key: str) -> None:
        self._storage.delete(key)

    def has(self, key: str) -> bool:
        return self._storage.exists(key)

    def old_folders(self, before: datetime, remove: bool) -> int:
        return sum(self._is_left(folder, before, remove) for folder in self._folders(self._root / _PREFIX))

    def old_uploads(self, before: datetime, abort: bool) -> int:
        return 0  # a file is moved into its place in one step

    def _below(self, folder: Path) -> Iterator[StoredFile]:
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path))
            else:
                with suppress(FileNotFoundError):  # it has expired meanwhile
                    key = Path(entry.path).relative_to(self._root).as_posix()
                    yield StoredFile(key=key, modified_at=_modified(entry.stat()))

    def _folders(self, folder: Path) -> Iterator[Path]:
        """All below this one, the innermost first."""
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from self._folders(Path(entry.path))
                yield Path(entry.path)

    def _is_left(self, folder: Path, before: datetime, remove: bool) -> bool:
        """A folder that has changed lately may be about to get a file."""
        try:
            if _modified(folder.stat()) >= before or next(_entries(folder), None) is not None:
                return False
            if remove:
                folder.rmdir()
        except OSError:  # it is gone, or no longer empty
            return False
        return True


class S3Files:
    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._location = storage.location.strip("/") + "/" if storage.location.strip("/") else ""

    def __iter__(self) -> Iterator[StoredFile]:
        for found in self._storage.bucket.objects.filter(Prefix=self._location + _PREFIX):
            yield StoredFile(key=found.key.removeprefix(self._location), modified_at=found.last_modified)

    def delete(self, key: str) -> None:
        self._storage.delete(key)

    def has(self, key: str) -> bool:
        return bool(self._storage.exists(key))

    def old_folders(self, before: datetime, remove: bool) -> int:
        return 0  # there are none

    def old_uploads(self, before: datetime, abort: bool) -> int:
        uploads = self._storage.bucket.multipart_uploads.filter(Prefix=self._location + _PREFIX)
        return sum(self._is_left(upload, before, abort) for upload in uploads)

    def _is_left(self, upload: Any, before: datetime, abort: bool) -> bool:
        if upload.initiated >= before:
            return False
        if abort:
            upload.abort()
        return True


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """What is in the folder; nothing if it is gone."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from entries


def _modified(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)
