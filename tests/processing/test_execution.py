"""Working on a claimed job, with the real pipeline on the sandbox: completed, failed, and signs of life."""

import re
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DataError, connection
from pytest_django import Settings
from tifffile import TiffFile

from accounts.models import ApiKey
from processing.execution import KeptJob, execute
from processing.models import Job
from processing.raster.errors import Stopped
from processing.raster.sandbox.location import VERSION
from processing.results import storage_key
from processing.tasks import work
from tests.processing.jobs import (
    AWAY,
    ERROR,
    HOOK,
    claim_again,
    claimed,
    error_of,
    keys_with_pictures,
    only_file,
    queued,
    row,
    stored_keys,
    take_messages,
    verbs,
)
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox_of_jobs")]


def nothing_left(settings: Settings) -> bool:
    """True if there is no file in the storage and no folder of unfinished files."""
    return not stored_keys() and not list(settings.WORK_DIR.glob("*"))


# --- Completed -------------------------------------------------------------------------------------------------------


def test_result_of_a_completed_job_describes_its_file(key: ApiKey, settings: Settings, tmp_path: Path) -> None:
    job = claimed(key, params={"colormap": None})
    execute(job)
    stored = row(job)
    assert (stored["status"], stored["progress"], stored["error"]) == ("completed", 100, None)
    assert stored_keys() == keys_with_pictures(job)
    path = only_file(tmp_path)
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
    assert verbs(job) == ["claim", "complete"]


@pytest.mark.parametrize(("compression", "tiff_code"), [("deflate", 8), ("zstd", 50000)])
def test_result_is_compressed_as_the_settings_say(
    key: ApiKey, settings: Settings, tmp_path: Path, compression: str, tiff_code: int
) -> None:
    settings.COMPRESSION = compression
    execute(claimed(key))
    with TiffFile(only_file(tmp_path)) as file:
        assert {int(page.compression) for page in file.pages} == {tiff_code}


def test_compact_result_is_smaller_and_has_the_statistics_of_the_full_one(key: ApiKey) -> None:
    jobs = [claimed(key, params={"precision": precision}) for precision in ("full", "compact")]
    for job in jobs:
        execute(job)
    full, compact = (row(job)["result"] for job in jobs)
    assert compact["file:size"] < full["file:size"]
    histogram = compact["statistics"].pop("histogram")
    assert histogram == full["statistics"].pop("histogram")
    assert compact["statistics"] == pytest.approx(full["statistics"], rel=1e-12)  # sums of threads in any order


def test_task_runs_a_job_once_and_sends_its_webhook(key: ApiKey) -> None:
    job = queued(key, webhook_url=HOOK)
    work()
    delivery = job.deliveries.get()
    assert delivery.event == "job.completed"
    assert take_messages() == ["deliver"]
    before, files = row(job), stored_keys()
    work()
    assert row(job) == before
    assert stored_keys() == files
    assert take_messages() == []


def test_files_of_earlier_attempts_are_deleted_first(key: ApiKey) -> None:
    first = claimed(key)
    default_storage.save(storage_key(first, 1), ContentFile(b"of a worker that was killed"))
    assert first.release(AWAY, timedelta(0))
    second = claim_again(first)
    execute(second)
    assert stored_keys() == keys_with_pictures(second)
    assert row(second)["result_key"] == storage_key(second, 2)


# --- Failed ----------------------------------------------------------------------------------------------------------


def test_unknown_scene_fails_the_job_at_once(key: ApiKey, settings: Settings) -> None:
    scene_id = "sentinel-2:S2A_MSIL2A_20200101T101010"
    job = claimed(key, scene_ids=[scene_id])
    execute(job)
    error = error_of(job)
    assert error["code"] == "SCENE_NOT_FOUND"
    assert error["details"] == {"scene_id": scene_id, "retryable": False}
    assert nothing_left(settings)


def test_fault_of_ours_fails_the_job_without_details_of_the_code(
    key: ApiKey, settings: Settings, tmp_path: Path
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
    assert nothing_left(settings)


def test_result_that_the_database_refuses_fails_the_job_at_once(key: ApiKey, settings: Settings) -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and '"result" =' in sql:
            raise DataError("unsupported Unicode escape sequence")
        return execute(sql, params, many, context)

    job = claimed(key)
    with connection.execute_wrapper(refuse):
        execute(job)
    assert error_of(job)["code"] == "INTERNAL_ERROR"
    assert nothing_left(settings)


# --- Signs of life ---------------------------------------------------------------------------------------------------


def test_lease_is_renewed_while_a_worker_has_the_job(key: ApiKey, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.2
    job = claimed(key)
    first = row(job)["lease_until"]
    with KeptJob(job):
        wait_until(lambda: row(job)["lease_until"] > first, 10, "a sign of life")
    last = row(job)["lease_until"]
    wait_until(lambda: list(Job.objects.lost()) == [job], 10, "the end of the lease")
    assert row(job)["lease_until"] == last, "no sign of life after the end"


def test_progress_is_written_while_a_worker_has_the_job(key: ApiKey) -> None:
    job = claimed(key)
    with KeptJob(job) as kept:
        kept.tick(0.0)
        kept.tick(0.0)

        def is_written() -> bool:
            kept.tick(0.5)
            return bool(0 < row(job)["progress"] <= 50)

        wait_until(is_written, 10, "progress")


def test_worker_stops_once_the_job_is_cancelled(key: ApiKey, settings: Settings) -> None:
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
