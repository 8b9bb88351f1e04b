"""Working on one claimed job, from its row to its file and back to its row."""

import logging
import math
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from accounts.models import KeyUsage

from . import results
from .config import most_beside, raster_config, raster_job, threads_beside
from .models import Job
from .models.failures import Trace, error_body, timed_out
from .models.status import Status
from .raster.errors import RasterError, Stopped
from .raster.types import Product

logger = logging.getLogger(__name__)

_LEAST_SECONDS_BETWEEN_REPORTS = 0.3
_MOST_SECONDS_BETWEEN_HEARTBEATS = 3.0
# After the storage was away for all of a job's time.
_AFTER_STORAGE = timedelta(seconds=60)
_STORAGE_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_TIME_TO_HAND_BACK = 15
# How long an end is tried to be written, and the pause between two tries.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 120, 1
_WORK_DIRECTORY = re.compile(r"(?P<job>job_[0-9A-Za-z]+)\.(?P<claim>\d{1,9})")
# Storing the file and writing the row are the rest.
_PERCENT_OF_PIPELINE = 95


def execute(job: Job) -> None:
    """Run a claimed job until it is completed, failed, or back in the queue. Raises only DatabaseError."""
    try:
        with KeptJob(job) as kept, work_directory(job) as directory:
            if job.claims > 1:
                results.delete_attempts(job)
            _complete(job, _run(job, directory, kept), kept)
    except Stopped:
        logger.info("%s is no longer attempt %s of this worker", job.id, job.attempt)
    except RasterError as error:
        pause, trace = error.longest_pause, Trace.of(error)
        body = error_body(error.code, error.message, error.details, retryable=error.retryable)
        patiently(lambda: _fail_or_retry(job, body, pause, trace))
    except results.StorageUnavailable as error:
        logger.warning("%s could not be stored", job.id, exc_info=error)
        trace, away = Trace.of(error), error_body("STORAGE_UNAVAILABLE", str(error), retryable=True)
        patiently(lambda: job.hand_back("STORAGE_UNAVAILABLE", _AFTER_STORAGE, error=away, trace=trace))
    except SoftTimeLimitExceeded as error:
        trace = Trace.of(error)
        patiently(lambda: job.fail(timed_out(), trace=trace))
    except (OperationalError, InterfaceError):
        raise  # the row cannot be written now; when its lease is over the sweep finds it
    except Exception as error:  # a fault of ours, or content that no row can hold, must still end the job
        logger.exception("%s failed", job.id)
        results.delete_attempts(job)
        message = "Something failed on our side while the job ran. The operator can see what and retry it."
        body, trace = error_body("INTERNAL_ERROR", message, retryable=False), Trace.of(error)
        patiently(lambda: job.fail(body, trace=trace))


class KeptJob:
    """Renews the lease of a job while we work on it, and notices when the job is no longer ours.

    A thread does so, because fetching, encoding and storing can take longer than a lease. While the database is away
    the work goes on: nobody else can take the job then.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.began = time.monotonic()
        self._done = threading.Event()
        self._taken_away = threading.Event()
        self._reported_percent, self._reported_at = -1, 0.0
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{job.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def tick(self, share: float) -> None:
        """Report the share of the pipeline's work that is done, 0..1. Raises Stopped once the job is no longer ours."""
        self.check()
        percent, now = int(share * _PERCENT_OF_PIPELINE), time.monotonic()
        if percent <= self._reported_percent or now - self._reported_at < _LEAST_SECONDS_BETWEEN_REPORTS:
            return
        if not self._still_ours(lambda: self._job.report_progress(percent)):
            raise Stopped
        self._reported_percent, self._reported_at = percent, now

    def check(self) -> None:
        """Raises Stopped once the job is no longer ours."""
        if self._taken_away.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Pause. Raises Stopped at once if the job is no longer ours."""
        if self._taken_away.wait(seconds):
            raise Stopped

    def _beat(self) -> None:
        seconds = min(settings.LEASE_SECONDS / 4, _MOST_SECONDS_BETWEEN_HEARTBEATS)
        while not self._done.wait(seconds):
            if not self._still_ours(self._job.heartbeat):
                self._taken_away.set()
                break
        connection.close()  # this thread's own

    def _still_ours(self, sign_of_life: Callable[[], bool]) -> bool:
        """What the database says; True while it is away. A broken connection is opened anew at the next sign."""
        try:
            return sign_of_life()
        except DatabaseError:
            logger.warning("no heartbeat for %s", self._job.id, exc_info=True)
            connection.close()
            return True


def patiently(write: Callable[[], bool]) -> bool:
    """Write the end of an attempt, again and again while the database is away. Who may write it stays fenced."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() >= ends:
                raise
            connection.close()
            time.sleep(_PAUSE_SECONDS)


@contextmanager
def work_directory(job: Job) -> Iterator[Path]:
    """A folder for this attempt's unfinished files, removed at the end in any case."""
    directory = settings.WORK_DIR / f"{job.id}.{job.claims}"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def remove_stale_work_directories() -> None:
    """Remove the folders of attempts that nobody works on: killed workers left them behind."""
    if not settings.WORK_DIR.exists():
        return
    for directory in settings.WORK_DIR.iterdir():
        name = _WORK_DIRECTORY.fullmatch(directory.name)
        if name is None:
            continue
        working = Job.objects.filter(pk=name["job"], status=Status.PROCESSING, claims=int(name["claim"]))
        if not working.exists():
            shutil.rmtree(directory, ignore_errors=True)


def _run(job: Job, directory: Path, kept: KeptJob) -> Product:
    from .raster import pipeline  # loads GDAL, which only a worker's own processes may do

    wanted = raster_job(job.operation, job.scene_ids, job.params)
    config = raster_config(
        use_sandbox=job.mode == "test",
        max_pixels=job.account.limits.pixels_per_job,
        threads=threads_beside(Job.objects.count_beside(job, most_beside())),
    )
    return pipeline.run(wanted, directory, kept.tick, config)


def _complete(job: Job, product: Product, kept: KeptJob) -> None:
    key = _publish(job, product, kept)
    result = {
        "file:size": product.size,
        "file:checksum": f"1220{product.sha256}",  # multihash: sha2-256, 32 bytes
        "proj:code": product.proj_code,
        "proj:shape": list(product.shape),
        "proj:transform": list(product.transform),
        "gsd": product.gsd,
        "geometry": dict(product.geometry),
        "bbox": list(product.bbox),
        "bands": [dict(band) for band in product.bands],
        "statistics": dict(product.statistics),
        "quality": dict(product.quality),
        "notes": list(product.notes),
        "provenance": dict(product.provenance),
        "pictures": results.publish_pictures(key, product),
        **product.extra_fields,
    }
    if not patiently(lambda: job.complete(result=result, result_key=key, warnings=product.warnings)):
        results.delete_attempts(job)  # cancelled, or given to another worker, whose files have other keys
    elif job.api_key_id is not None:
        KeyUsage.objects.add({(job.api_key_id, datetime.now(UTC).date()): {"pixels": math.prod(product.shape)}})


def _publish(job: Job, product: Product, kept: KeptJob) -> str:
    """Store the file and return its key. While the storage is away only this is tried again, not the computation.

    Raises StorageUnavailable shortly before the job's time is over, and Stopped.
    """
    ends = kept.began + settings.JOB_TIME_LIMIT - _TIME_TO_HAND_BACK
    for pause in chain(_STORAGE_PAUSES, repeat(_STORAGE_PAUSES[-1])):
        try:
            return results.publish(job, product)
        except results.StorageUnavailable as error:
            if time.monotonic() + pause >= ends or not results.is_whole(product):
                raise
            logger.warning("%s is not stored yet", job.id, exc_info=error)
        kept.wait(pause)
    raise AssertionError("the pauses never end")


def _fail_or_retry(job: Job, error: dict[str, Any], longest_pause: float, trace: Trace) -> bool:
    """Wait a random part of a growing delay, so that jobs that failed together do not come back together."""
    if error["details"]["retryable"] and job.has_attempts_left:
        longest = min(longest_pause, settings.RETRY_SECONDS * 2**job.attempt)
        asked_for = min(longest_pause, error["details"].get("retry_after", 0.0))
        return job.release(error, timedelta(seconds=asked_for + random.uniform(0, longest)), trace)
    return job.fail(error, trace=trace)
