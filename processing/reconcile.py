"""Storage and rows agree, both ways: no file without its row, and no row whose file is gone."""

import logging
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice, starmap
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .models import Job
from .models.status import Status
from .results import job_of_key, keys_of, picture_key
from .stored_files import StoredFile, StoredFiles, stored_files

logger = logging.getLogger(__name__)

_AT_ONCE = 500
# A worker may still store a file, and write its row, long after its job's time: while the database is away.
_BEYOND_THE_LONGEST_JOB = timedelta(hours=1)


class WrongStorage(Exception):
    """The storage is empty, although rows have results in it. A sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was done, or would have been."""

    files: int
    deleted_files: int
    missing_results: int
    removed_folders: int
    aborted_uploads: int


def reconcile(dry_run: bool = False) -> Report:
    """Delete old files that no row knows, and mark results whose file is gone. Raises WrongStorage.

    Errors of the storage are its own. The storage is listed once; of each file that is there eight bytes are kept.
    """
    stored = stored_files()
    before = timezone.now() - timedelta(seconds=settings.JOB_TIME_LIMIT) - _BEYOND_THE_LONGEST_JOB
    seen, deleted = _delete_unknown(stored, before, dry_run)
    missing = _mark_missing(stored, seen, dry_run)
    return Report(
        files=len(seen),
        deleted_files=deleted,
        missing_results=missing,
        removed_folders=stored.old_folders(before, remove=not dry_run),
        aborted_uploads=stored.old_uploads(before, abort=not dry_run),
    )


class _Keys:
    """Which keys were seen, by their hashes. Of two keys that are alike in that, one may be taken for the other."""

    def __init__(self, hashes: "array[int]") -> None:
        self._hashes = array("q", sorted(hashes))

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, key: str) -> bool:
        place = bisect_left(self._hashes, hash(key))
        return place < len(self._hashes) and self._hashes[place] == hash(key)


def _delete_unknown(stored: StoredFiles, before: datetime, dry_run: bool) -> tuple[_Keys, int]:
    """The keys of all files that there were, and how many were deleted."""
    hashes, deleted = array("q"), 0
    for files in _batches(stored):
        hashes.extend(hash(file.key) for file in files)
        for key in _unknown([file.key for file in files if file.modified_at < before]):
            logger.info("%s belongs to no result%s", key, ", and would be deleted" if dry_run else ", and is deleted")
            deleted += 1
            if not dry_run:
                stored.delete(key)
    return _Keys(hashes), deleted


def _unknown(keys: list[str]) -> Iterator[str]:
    """The keys that are no job's result or picture. An unfinished job deletes what its attempts left by itself."""
    jobs = Job.objects.filter(pk__in={job_of_key(key) for key in keys})
    at_work = set(jobs.filter(status__in=(Status.QUEUED, Status.PROCESSING)).values_list("pk", flat=True))
    known = set(chain.from_iterable(starmap(keys_of, jobs.values_list("result_key", "result__pictures"))))
    for key in keys:
        if key not in known and job_of_key(key) not in at_work:
            yield key


def _mark_missing(stored: StoredFiles, seen: _Keys, dry_run: bool) -> int:
    """How many results have lost their file. Their jobs stay completed, as after expiry; lost pictures are forgotten.

    The storage is asked only for what was not seen, which may have been stored since.
    """
    missing = 0
    for results in _results():
        gone = [result for result in results if not _is_there(result.key, stored, seen)]
        if gone and not seen:
            raise WrongStorage("The storage holds no file at all, although jobs have results. Is it the right one?")
        missing += len(gone) if dry_run else sum(_forget(result.job_id, result.key) for result in gone)
        if not dry_run:
            _forget_lost_pictures([result for result in results if result not in gone], stored, seen)
    return missing


class _Result(NamedTuple):
    job_id: str
    key: str
    pictures: list[str] | None


def _is_there(key: str, stored: StoredFiles, seen: _Keys) -> bool:
    return key in seen or stored.has(key)


def _results() -> Iterator[list[_Result]]:
    """Some hundred at a time."""
    last = ""
    while found := list(_next_results(last)):
        yield found
        last = found[-1].job_id


def _next_results(last: str) -> Iterable[_Result]:
    jobs = Job.objects.filter(pk__gt=last).exclude(result_key="").order_by("pk")
    return starmap(_Result, jobs.values_list("pk", "result_key", "result__pictures")[:_AT_ONCE])


def _forget_lost_pictures(results: Iterable[_Result], stored: StoredFiles, seen: _Keys) -> None:
    for result in results:
        names = result.pictures or []
        kept = [name for name in names if _is_there(picture_key(result.key, name), stored, seen)]
        if len(kept) < len(names):
            logger.warning("pictures of %s are gone from the storage", result.job_id)
            _keep_pictures(result, kept)


def _keep_pictures(result: _Result, kept: list[str]) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=result.job_id, result_key=result.key).first()
        if job is not None and job.result is not None:
            Job.objects.filter(pk=job.pk).update(result={**job.result, "pictures": kept})


def _forget(pk: str, key: str) -> bool:
    """False if the result has expired meanwhile."""
    with transaction.atomic():
        job = Job.objects.filter(pk=pk, result_key=key).first()
        if job is None or not Job.objects.filter(pk=pk, result_key=key).update(result_key=""):
            return False
        logger.warning("the file of %s is gone from the storage", pk)
        job.record("expire", "the file was gone from the storage")
    return True


def _batches(files: Iterable[StoredFile]) -> Iterator[list[StoredFile]]:
    source = iter(files)
    while batch := list(islice(source, _AT_ONCE)):
        yield batch
