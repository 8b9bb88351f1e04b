"""Finished files: stored, deleted, and the links to them."""

import logging
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import Storage, default_storage, storages
from django.utils import timezone

from .local_storage import MovableFile, SignedLocalStorage
from .models import Job
from .raster.types import Product, moment_of

_SATELLITE = re.compile(r"[A-Z][A-Z0-9]{1,5}(?=_)")

logger = logging.getLogger(__name__)


class StorageUnavailable(Exception):
    """The result is not in the storage, or not whole."""


def storage_key(job: Job, claim: int) -> str:
    """Every claim has its own key, so a worker given up as lost cannot overwrite the file of another."""
    return f"jobs/{job.id}/{claim}/{job.operation}_output.tif"


def publish(job: Job, product: Product) -> str:
    """Store the product's file and return its key. Raises StorageUnavailable, and then leaves no file."""
    key = storage_key(job, job.claims)
    try:
        movable = _second_name(product.path)
        with movable.open("rb") as file:
            saved = default_storage.save(key, MovableFile(file, name=str(movable)))
        if saved != key or default_storage.size(saved) != product.size:
            raise OSError("the storage holds another file")
    except SoftTimeLimitExceeded:
        delete_attempts(job)
        raise
    except Exception as error:  # each storage has its own errors
        delete_attempts(job)
        raise StorageUnavailable("The result could not be stored. Try again later.") from error
    return saved


def is_whole(product: Product) -> bool:
    """Whether the file may be published, once more if need be."""
    return product.path.exists() and product.path.stat().st_size == product.size


def _second_name(path: Path) -> Path:
    """Another name of the file, under which it may be moved away. It stays under its own until it is stored."""
    second = path.with_name(f"stored_{path.name}")
    second.unlink(missing_ok=True)
    try:
        os.link(path, second)
    except OSError:  # not every file system has such names
        shutil.copyfile(path, second)
    return second


def delete_attempts(job: Job) -> bool:
    """Delete the files of all attempts so far. False if the storage failed; then try again later."""
    try:
        for claim in range(1, job.claims + 1):
            default_storage.delete(storage_key(job, claim))
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # each storage has its own errors
        logger.warning("the files of %s could not be deleted: %s", job.pk, error)
        return False
    return True


def link(job: Job, origin: str) -> str | None:
    """A link to the job's file, good until the result expires; None after that. `origin` is the base of local links."""
    if not job.result_key or job.expires_at is None or job.has_expired:
        return None
    return urljoin(origin, _signed(job, job.expires_at))


def disposition(job: Job) -> str:
    """What names a download: operation, satellite and date of each scene, and the job, as links all end alike."""
    scenes = (job.result or {}).get("provenance", {}).get("scenes", ())
    parts = [job.operation, *(part for scene in scenes for part in _satellite_and_date(scene)), job.pk]
    return f'attachment; filename="{"_".join(parts)}.tif"'


def _satellite_and_date(scene: Mapping[str, Any]) -> Iterator[str]:
    """Such as S2B and 20250115, if product and time are known and begin as they should."""
    if satellite := _SATELLITE.match(scene.get("product") or ""):
        yield satellite[0]
    if moment := moment_of(scene.get("datetime")):
        yield f"{moment:%Y%m%d}"


def _signed(job: Job, expires_at: datetime) -> str:
    """Local links name the time of their end, so they stay the same from poll to poll; S3 counts from now."""
    storage: Storage = storages["default"]
    if isinstance(storage, SignedLocalStorage):
        return storage.signed_url(job.result_key, int(expires_at.timestamp()))
    seconds = math.ceil((expires_at - timezone.now()).total_seconds())
    shown = {"ResponseContentDisposition": disposition(job)}
    return storage.url(job.result_key, shown, seconds)  # type: ignore[call-arg]  # S3Storage takes these
