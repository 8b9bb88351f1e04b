"""Storages that fail, and storages during whose work something else happens."""

import threading
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from storages.backends.s3 import S3Storage

from processing.local_storage import SignedLocalStorage
from processing.models import Job

# That of the set on which the tests run.
_Storage: Any = S3Storage if settings.BUCKET else SignedLocalStorage
CANCELED = {"code": "CANCELED", "message": "The job was cancelled.", "details": {"retryable": False}}


def cancel_elsewhere(name: str) -> None:
    """Cancel the job that the key `name` belongs to, over another connection, as a web process does."""

    def cancel() -> None:
        assert Job.objects.get(pk=name.split("/")[1]).cancel(CANCELED)
        connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    thread.join()


class CancelledAtTheStart(_Storage):  # type: ignore[misc]
    """The job is cancelled while its worker looks for files of earlier attempts."""

    _is_first = True

    def delete(self, name: str) -> None:
        if self._is_first:
            self._is_first = False
            cancel_elsewhere(name)
        super().delete(name)


class CancelledWhileSaving(_Storage):  # type: ignore[misc]
    """The job is cancelled while its file is stored."""

    def _save(self, name: str, content: Any) -> str:
        saved = str(super()._save(name, content))
        if name.endswith(".tif"):
            cancel_elsewhere(name)
        return saved


class OutOfTime(_Storage):  # type: ignore[misc]
    """The time limit is reached while the file is stored."""

    def _save(self, name: str, content: Any) -> str:
        super()._save(name, content)
        raise SoftTimeLimitExceeded


class CuttingShort(_Storage):  # type: ignore[misc]
    """Loses the end of a file, as some full disks do."""

    def _save(self, name: str, content: Any) -> str:
        return str(super()._save(name, ContentFile(content.read(100))))


class Away(_Storage):  # type: ignore[misc]
    """Takes nothing."""

    def _save(self, name: str, content: Any) -> str:
        raise OSError("/srv/secret/path is read-only")


class AwayAtFirst(_Storage):  # type: ignore[misc]
    """Fails twice, and then works."""

    _left = 2

    def _save(self, name: str, content: Any) -> str:
        if self._left:
            self._left -= 1
            raise OSError("503 Slow Down")
        return str(super()._save(name, content))


class KeepingAll(_Storage):  # type: ignore[misc]
    """Cannot delete."""

    def delete(self, name: str) -> None:
        raise OSError("read-only file system")


class Broken(SignedLocalStorage):
    """Raises an error that nobody expects."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        raise RuntimeError("/srv/secret/path is on fire")
