"""Storage and rows agree, both ways, on the local disk and in S3."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import Job
from processing.reconcile import WrongStorage, reconcile
from processing.results import picture_key
from tests.accounts.clock import Clock
from tests.s3 import BUCKET, s3_client, s3_storage

from .conftest import use_storage
from .jobs import claimed, completed, failed, queued, row, verbs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which files are old."""
    return Clock(monkeypatch)


@pytest.fixture(params=["local", "s3"], autouse=True)
def storage_kind(request: pytest.FixtureRequest, settings: Settings, storage: Path) -> str:
    """Every test runs on both storages, each empty at its start."""
    if request.param == "s3":
        default = s3_storage(request.getfixturevalue("s3_url"))
        settings.STORAGES = {**settings.STORAGES, "default": default}
        default_storage.bucket.objects.all().delete()  # type: ignore[attr-defined]  # S3Storage has one
    else:
        settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", storage)
    return str(request.param)


def store(key: str) -> str:
    return default_storage.save(key, ContentFile(b"pixels"))


def test_old_file_without_a_job_is_deleted(clock: Clock, key: ApiKey) -> None:
    orphan = store("jobs/job_gone/1/ndvi_output.tif")
    clock.move(days=2)

    report = reconcile()

    assert (report.files, report.deleted_files) == (1, 1)
    assert not default_storage.exists(orphan)


def test_young_file_without_a_job_stays(key: ApiKey) -> None:
    young = store("jobs/job_gone/1/ndvi_output.tif")

    assert reconcile().deleted_files == 0
    assert default_storage.exists(young)


def test_file_outside_of_jobs_is_none_of_ours(clock: Clock, key: ApiKey) -> None:
    foreign = store("elsewhere/file.tif")
    clock.move(days=2)

    assert reconcile().files == 0
    assert default_storage.exists(foreign)


def test_only_the_attempt_that_completed_keeps_its_file(clock: Clock, key: ApiKey) -> None:
    job = completed(key)
    left = store(f"jobs/{job.pk}/99/ndvi_output.tif")
    clock.move(days=2)

    report = reconcile()

    assert (report.files, report.deleted_files, report.missing_results) == (2, 1, 0)
    assert default_storage.exists(job.result_key)
    assert not default_storage.exists(left)


def test_failed_job_keeps_no_file(clock: Clock, key: ApiKey) -> None:
    left = store(f"jobs/{failed(key).pk}/1/ndvi_output.tif")
    clock.move(days=2)

    assert reconcile().deleted_files == 1
    assert not default_storage.exists(left)


@pytest.mark.parametrize("state", [queued, claimed])
def test_job_that_is_not_finished_keeps_its_files(clock: Clock, key: ApiKey, state: Callable[[ApiKey], Job]) -> None:
    """Its worker may have stored the result and be about to write the row."""
    kept = store(f"jobs/{state(key).pk}/1/ndvi_output.tif")
    clock.move(days=2)

    assert reconcile().deleted_files == 0
    assert default_storage.exists(kept)


def test_result_whose_file_is_gone_expires(key: ApiKey) -> None:
    job, whole = completed(key), completed(key)
    default_storage.delete(job.result_key)

    assert reconcile().missing_results == 1

    assert (row(job)["result_key"], row(job)["status"]) == ("", "completed")
    assert row(whole)["result_key"] == whole.result_key
    event = job.events.last()
    assert event is not None
    assert (event.verb, event.note) == ("expire", "the file was gone from the storage")
    assert reconcile().missing_results == 0


def with_pictures(key: ApiKey, *names: str) -> Job:
    """A completed job whose pictures are stored."""
    job = completed(key)
    Job.objects.filter(pk=job.pk).update(result={**(job.result or {}), "pictures": list(names)})
    for name in names:
        store(picture_key(job.result_key, name))
    job.refresh_from_db()
    return job


def test_pictures_of_a_result_stay_and_others_go(clock: Clock, key: ApiKey) -> None:
    job = with_pictures(key, "preview")
    left = store(picture_key(job.result_key, "before"))
    clock.move(days=2)

    assert reconcile().deleted_files == 1
    assert default_storage.exists(picture_key(job.result_key, "preview"))
    assert not default_storage.exists(left)


def test_picture_that_is_gone_is_forgotten_and_the_result_stays(key: ApiKey) -> None:
    job = with_pictures(key, "preview", "before")
    default_storage.delete(picture_key(job.result_key, "before"))

    assert reconcile().missing_results == 0
    assert row(job)["result"]["pictures"] == ["preview"]
    assert row(job)["result_key"] == job.result_key


def test_empty_storage_is_taken_for_the_wrong_one(key: ApiKey) -> None:
    """A disk that is not mounted, or another bucket, must not end all results."""
    job = completed(key)
    default_storage.delete(job.result_key)

    with pytest.raises(WrongStorage, match="Is it the right one"):
        reconcile()

    assert row(job)["result_key"] == job.result_key
    with pytest.raises(CommandError, match="Is it the right one"):
        call_command("reconcile")


def test_dry_run_says_the_same_and_changes_nothing(
    clock: Clock, key: ApiKey, capsys: pytest.CaptureFixture[str]
) -> None:
    orphan, job = store("jobs/job_gone/1/ndvi_output.tif"), completed(key)
    default_storage.delete(job.result_key)
    clock.move(days=2)

    call_command("reconcile", "--dry-run")

    said = capsys.readouterr().out
    assert "1 files\n1 without a result would be deleted\n1 results without a file would be marked" in said
    assert default_storage.exists(orphan)
    assert row(job)["result_key"] == job.result_key
    assert verbs(job)[-1] == "complete"
    call_command("reconcile")
    assert "1 without a result deleted\n1 results without a file marked" in capsys.readouterr().out


@pytest.mark.parametrize("storage_kind", ["local"], indirect=True)
def test_old_empty_folders_go(clock: Clock, key: ApiKey, storage: Path) -> None:
    job = completed(key)
    store("jobs/job_gone/1/ndvi_output.tif")
    assert reconcile().removed_folders == 0
    clock.move(days=2)

    assert reconcile().removed_folders == 2

    assert [folder.name for folder in (storage / "jobs").iterdir()] == [job.pk]
    assert default_storage.exists(job.result_key)


@pytest.mark.parametrize("storage_kind", ["s3"], indirect=True)
def test_old_unfinished_upload_is_aborted(clock: Clock, key: ApiKey, s3_url: str) -> None:
    client = s3_client(s3_url)
    client.create_multipart_upload(Bucket=BUCKET, Key="jobs/job_gone/1/ndvi_output.tif")
    assert reconcile().aborted_uploads == 0
    clock.move(days=2)

    assert reconcile().aborted_uploads == 1

    assert not client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


@pytest.mark.parametrize("storage_kind", ["s3"], indirect=True)
def test_bucket_is_listed_once_and_asked_for_no_result_that_it_lists(key: ApiKey) -> None:
    for _ in range(5):
        completed(key)
    asked: list[str] = []
    client = default_storage.connection.meta.client  # type: ignore[attr-defined]  # S3Storage has one
    client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))

    assert reconcile().files == 5

    assert asked.count("ListObjects") == 1
    assert "HeadObject" not in asked


def test_result_that_was_stored_since_is_there(key: ApiKey) -> None:
    completed(key)
    stored_since = False

    def complete_first(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        nonlocal stored_since
        if not stored_since and sql.startswith("SELECT") and 'NOT ("processing_job"."result_key" =' in sql:
            stored_since = True
            completed(key)
        return execute(sql, *arguments)

    with connection.execute_wrapper(complete_first):
        assert reconcile().missing_results == 0

    assert stored_since
    assert Job.objects.exclude(result_key="").count() == 2
