"""Finished files, a COG and its pictures for each job: stored, named and deleted."""

import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import default_storage

from .local_storage import MovableFile
from .models import Job
from .raster.operations import all_operations
from .raster.types import COG_MEDIA_TYPE, PNG_MEDIA_TYPE, Product

logger = logging.getLogger(__name__)


class StorageUnavailable(Exception):
    """The result is not in the storage, or not whole."""


def storage_key(job: Job, claim: int) -> str:
    """Every claim has its own key, so a worker given up as lost cannot overwrite the file of another."""
    return f"jobs/{job.id}/{claim}/{job.operation}_output.tif"


def picture_key(result_key: str, name: str) -> str:
    """Where the picture of that name lies: beside the file that is stored under `result_key`."""
    return f"{result_key.rpartition('/')[0]}/{name}.png"


def keys_of(result_key: str, pictures: Iterable[str] | None) -> list[str]:
    """The keys of everything that is stored for a result; none if it has no file."""
    return [result_key, *(picture_key(result_key, name) for name in pictures or ())] if result_key else []


def job_of_key(key: str) -> str:
    """The id of the job to which what is stored under a key such as jobs/<job>/... belongs."""
    return key.split("/")[1] if "/" in key else ""


def publish(job: Job, product: Product) -> str:
    """Store the product's file and return its key. Raises StorageUnavailable, and then leaves no file."""
    key = storage_key(job, job.claims)
    try:
        _store(product.path, key, COG_MEDIA_TYPE, product.size)
    except SoftTimeLimitExceeded:
        delete_attempts(job)
        raise
    except Exception as error:  # each storage has its own errors
        delete_attempts(job)
        raise StorageUnavailable("The result could not be stored. Try again later.") from error
    return key


def publish_pictures(result_key: str, product: Product) -> list[str]:
    """Store the product's pictures beside its file, and return their names. One that cannot be stored is left out."""
    return [name for name, path in product.pictures.items() if _is_stored(path, picture_key(result_key, name))]


def _is_stored(picture: Path, key: str) -> bool:
    try:
        _store(picture, key, PNG_MEDIA_TYPE, picture.stat().st_size)
    except Exception as error:  # even the end of the job's time: the result itself is stored
        logger.warning("the picture %s is left out, as it could not be stored: %s", key, error)
        with suppress(Exception):  # what is left of it belongs to no result, and is found as such
            default_storage.delete(key)
        return False
    return True


def _store(path: Path, key: str, content_type: str, size: int) -> None:
    """Raises OSError, and whatever the storage raises."""
    movable = _second_name(path)
    with movable.open("rb") as file:
        saved = default_storage.save(key, MovableFile(file, str(movable), content_type))
    if saved != key or default_storage.size(saved) != size:
        raise OSError("the storage holds another file")


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
            for key in keys_of(storage_key(job, claim), _possible_pictures(job)):
                default_storage.delete(key)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # each storage has its own errors
        logger.warning("the files of %s could not be deleted: %s", job.pk, error)
        return False
    return True


def _possible_pictures(job: Job) -> Iterable[str]:
    operation = all_operations().get(job.operation)
    return operation.pictures if operation else ()


def pictures_of(job: Job) -> list[str]:
    """The names of the pictures that are stored beside the job's file; none once it has expired."""
    return list((job.result or {}).get("pictures", ())) if is_kept(job) else []


def is_kept(job: Job) -> bool:
    """Whether the job has a file that callers may have."""
    return bool(job.result_key) and job.expires_at is not None and not job.has_expired
