"""Working on a claimed job, with the real pipeline on the sandbox: every end, and what is left behind."""

import errno
import os
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from pytest_django import Settings
from tifffile import TiffFile

from accounts.models import ApiKey
from processing.execution import KeptJob, execute
from processing.models import Job
from processing.raster.errors import Stopped
from processing.raster.sandbox.location import VERSION
from processing.results import storage_key
from processing.tasks import run_job
from tests.processing.conftest import use_storage
from tests.processing.jobs import ERROR, claimed, queued, row, take_messages, verbs
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
STORAGES = "tests.processing.storages."


@pytest.fixture(autouse=True)
def _sandbox(settings: Settings, sandbox: Path) -> None:
    settings.SANDBOX_DIR = sandbox


def files_below(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def nothing_left(settings: Settings, storage: Path) -> bool:
    """No file in the storage, no folder of unfinished files."""
    return not files_below(storage) and not list(settings.WORK_DIR.glob("*"))


def error_of(job: Job) -> dict[str, Any]:
    stored = row(job)
    assert stored["status"] == "failed"
    assert set(stored["error"]) == {"code", "message", "details"}
    return dict(stored["error"])


# --- Completed ------------------------------------------------------------------------------------------------------


def test_a_completed_jobs_result_tells_the_truth_about_its_file(key: ApiKey, settings: Settings, storage: Path) -> None:
    job = claimed(key, params={"colormap": None})
    execute(job)
    stored = row(job)
    assert (stored["status"], stored["progress"], stored["error"]) == ("completed", 100, None)
    (path,) = files_below(storage)
    assert path == storage / stored["result_key"]
    content, result = path.read_bytes(), stored["result"]
    assert result["file:size"] == len(content)
    assert result["file:checksum"] == "1220" + sha256(content).hexdigest()
    with rasterio.open(path) as dataset:
        pixels = dataset.read(1)
        assert result["proj:code"] == dataset.crs.to_string()
        assert result["proj:shape"] == [dataset.height, dataset.width]
        assert result["gsd"] == dataset.res[0]
    statistics = result["statistics"]
    assert statistics["minimum"] == pytest.approx(float(np.nanmin(pixels)))
    assert statistics["maximum"] == pytest.approx(float(np.nanmax(pixels)))
    assert statistics["mean"] == pytest.approx(float(np.nanmean(pixels, dtype=np.float64)))
    assert statistics["valid_percent"] == pytest.approx(100 * float(np.mean(~np.isnan(pixels))))
    assert sum(statistics["histogram"]["buckets"]) == np.count_nonzero(~np.isnan(pixels))
    assert list(settings.WORK_DIR.glob("*")) == []
    assert verbs(job) == ["submit", "claim", "complete"]


@pytest.mark.parametrize(("compression", "tiff_code"), [("deflate", 8), ("zstd", 50000)])
def test_a_result_is_compressed_as_the_settings_say(
    key: ApiKey, settings: Settings, storage: Path, compression: str, tiff_code: int
) -> None:
    settings.COMPRESSION = compression
    execute(claimed(key))
    (path,) = files_below(storage)
    with TiffFile(path) as file:
        assert {int(page.compression) for page in file.pages} == {tiff_code}


def test_a_compact_result_is_smaller_and_tells_the_statistics_of_the_full_one(key: ApiKey, storage: Path) -> None:
    jobs = [claimed(key, params={"precision": precision}) for precision in ("full", "compact")]
    for job in jobs:
        execute(job)
    full, compact = (row(job)["result"] for job in jobs)
    assert compact["file:size"] < full["file:size"]
    histogram = compact["statistics"].pop("histogram")
    assert histogram == full["statistics"].pop("histogram")
    assert compact["statistics"] == pytest.approx(full["statistics"], rel=1e-12)  # sums of threads in any order


def test_the_task_runs_a_job_once_and_sends_its_webhook(key: ApiKey, storage: Path) -> None:
    job = queued(key, webhook_url="https://example.com/hook")
    run_job(job.pk)
    delivery = job.deliveries.get()
    assert delivery.event == "job.completed"
    assert take_messages() == [("deliver_webhook", delivery.pk)]
    before, files = row(job), files_below(storage)
    run_job(job.pk)
    assert row(job) == before
    assert files_below(storage) == files
    assert take_messages() == []


def test_files_of_earlier_attempts_go_first(key: ApiKey, storage: Path) -> None:
    first = claimed(key)
    default_storage.save(storage_key(first, 1), ContentFile(b"of a worker that was killed"))
    assert first.release("its worker was killed", timedelta(0))
    second = Job.objects.claim(first.pk)
    assert second is not None
    execute(second)
    assert files_below(storage) == [storage / row(second)["result_key"]]
    assert row(second)["result_key"] == storage_key(second, 2)


# --- Failed ---------------------------------------------------------------------------------------------------------


def test_a_scene_that_there_is_not_fails_at_once(key: ApiKey, settings: Settings, storage: Path) -> None:
    scene_id = "sentinel-2:S2A_MSIL2A_20200101T101010"
    job = claimed(key, scene_ids=[scene_id])
    execute(job)
    error = error_of(job)
    assert error["code"] == "SCENE_NOT_FOUND"
    assert error["details"] == {"scene_id": scene_id, "retryable": False}
    assert nothing_left(settings, storage)


def test_a_fault_of_ours_is_told_without_its_inside(
    key: ApiKey, settings: Settings, storage: Path, tmp_path: Path
) -> None:
    settings.SANDBOX_DIR = tmp_path / "broken"
    catalog = settings.SANDBOX_DIR / f"v{VERSION}" / "catalog.json"
    catalog.parent.mkdir(parents=True)
    catalog.write_text("{")
    job = claimed(key)
    execute(job)
    error = error_of(job)
    assert error["code"] == "INTERNAL_ERROR"
    assert error["details"] == {"retryable": False}
    assert not re.search(r"Traceback|Error|\.py|/", error["message"])
    assert str(tmp_path) not in str(row(job))
    assert nothing_left(settings, storage)


# --- The storage is in trouble --------------------------------------------------------------------------------------


def test_a_storage_outage_is_tried_again_and_then_told(key: ApiKey, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", tmp_path / "a file")
    settings.RETRY_SECONDS = 0
    settings.JOB_ATTEMPTS = 2
    job = claimed(key, webhook_url="https://example.com/hook")
    execute(job)
    assert row(job)["status"] == "queued"
    assert row(job)["error"] is None
    assert job.events.last().note == "STORAGE_UNAVAILABLE"
    assert not job.deliveries.exists()
    second = Job.objects.claim(job.pk)
    assert second is not None
    execute(second)
    error = error_of(job)
    assert error["code"] == "STORAGE_UNAVAILABLE"
    assert error["details"] == {"retryable": True}
    assert str(tmp_path) not in error["message"]
    assert job.deliveries.get().event == "job.failed"
    assert list(settings.WORK_DIR.glob("*")) == []


def test_a_job_completes_once_the_storage_is_back(
    key: ApiKey, settings: Settings, storage: Path, tmp_path: Path
) -> None:
    working = settings.STORAGES
    settings.STORAGES = use_storage(settings, STORAGES + "CuttingShort", storage)
    settings.RETRY_SECONDS = 0
    job = claimed(key)
    execute(job)
    assert row(job)["status"] == "queued"
    assert nothing_left(settings, storage), "a file that was cut short is no result"
    settings.STORAGES = working
    run_job(job.pk)
    assert row(job)["status"] == "completed"
    assert len(files_below(storage)) == 1


def test_a_result_that_the_disk_does_not_keep_is_no_result(
    key: ApiKey, storage: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    job = claimed(key)
    execute(job)
    assert row(job)["status"] == "queued"
    assert nothing_left(settings, storage)


def test_a_job_that_is_tried_again_waits_within_its_bounds(key: ApiKey, settings: Settings, storage: Path) -> None:
    settings.STORAGES = use_storage(settings, STORAGES + "CuttingShort", storage)
    settings.RETRY_SECONDS = 1000
    job = claimed(key)
    execute(job)
    stored = row(job)
    wait = stored["due_at"] - job.events.last().at
    assert wait.total_seconds() + 1 >= 0
    assert wait.total_seconds() <= 600
    assert stored["dispatch_at"] == stored["due_at"]


# --- Time limit -----------------------------------------------------------------------------------------------------


def test_the_time_limit_ends_a_job(key: ApiKey, settings: Settings, storage: Path) -> None:
    def strike(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "processing_job" SET "progress"'):
            raise SoftTimeLimitExceeded
        return execute(sql, params, many, context)

    settings.JOB_TIME_LIMIT = 77
    job = claimed(key)
    with connection.execute_wrapper(strike):
        execute(job)
    error = error_of(job)
    assert error["code"] == "TIMED_OUT"
    assert "77 seconds" in error["message"]
    assert nothing_left(settings, storage)


def test_the_time_limit_ends_a_job_also_while_its_file_is_stored(
    key: ApiKey, settings: Settings, storage: Path
) -> None:
    settings.STORAGES = use_storage(settings, STORAGES + "OutOfTime", storage)
    job = claimed(key)
    execute(job)
    assert error_of(job)["code"] == "TIMED_OUT"
    assert nothing_left(settings, storage)


# --- Cancelled and overtaken ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage_class", ["CancelledAtTheStart", "CancelledWhileSaving"])
def test_a_job_that_is_cancelled_meanwhile_leaves_nothing(
    key: ApiKey, settings: Settings, storage: Path, storage_class: str
) -> None:
    settings.STORAGES = use_storage(settings, STORAGES + storage_class, storage)
    job = claimed(key)
    execute(job)
    assert error_of(job)["code"] == "CANCELED"
    assert row(job)["result"] is None
    assert verbs(job) == ["submit", "claim", "cancel"]
    assert nothing_left(settings, storage)


def test_a_worker_that_was_given_up_removes_its_own_file_only(key: ApiKey, storage: Path) -> None:
    late = claimed(key)
    assert Job.objects.get(pk=late.pk).release("its worker was given up", timedelta(0))
    current = Job.objects.claim(late.pk)
    assert current is not None
    execute(current)
    before, files = row(current), files_below(storage)
    execute(late)
    assert row(current) == before
    assert files_below(storage) == files


# --- Signs of life --------------------------------------------------------------------------------------------------


def test_a_job_is_kept_while_it_is_worked_on(key: ApiKey, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.2
    job = claimed(key)
    first = row(job)["lease_until"]
    with KeptJob(job):
        wait_until(lambda: row(job)["lease_until"] > first, 10, "a sign of life")
    last = row(job)["lease_until"]
    wait_until(lambda: list(Job.objects.lost()) == [job], 10, "the end of the lease")
    assert row(job)["lease_until"] == last, "no sign of life after the end"


def test_progress_is_told_while_it_is_worked_on(key: ApiKey) -> None:
    job = claimed(key)
    with KeptJob(job) as kept:
        kept.tick(0.0)
        kept.tick(0.0)

        def told() -> bool:
            kept.tick(0.5)
            return 0 < row(job)["progress"] <= 50

        wait_until(told, 10, "progress")


def test_the_end_of_the_lease_stops_the_work(key: ApiKey, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.2
    job = claimed(key)

    def stopped(kept: KeptJob) -> bool:
        try:
            kept.tick(0.0)
        except Stopped:
            return True
        return False

    with KeptJob(job) as kept:
        assert not stopped(kept)
        assert Job.objects.get(pk=job.pk).cancel(ERROR)
        wait_until(lambda: stopped(kept), 10, "the worker to notice")
