"""Working on a claimed job while the storage fails, the time is up, or another takes the job."""

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings as django_settings
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Account, ApiKey
from processing.execution import execute
from processing.models import Job
from tests.processing.conftest import troubled
from tests.processing.jobs import (
    AWAY,
    HOOK,
    claim_again,
    claimed,
    error_of,
    keys_with_pictures,
    row,
    stored_keys,
    verbs,
)
from tests.servers import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox_of_jobs")]


def nothing_left(settings: Settings) -> bool:
    """True if there is no file in the storage and no folder of unfinished files."""
    return not stored_keys() and not list(settings.WORK_DIR.glob("*"))


# --- The storage fails ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["Away", "CuttingShort"])
def test_storage_that_fails_all_the_time_costs_no_attempt_but_ends_the_job_at_last(
    key: ApiKey, settings: Settings, fault: str
) -> None:
    settings.STORAGES = troubled(settings, fault)
    settings.JOB_TIME_LIMIT = 1
    job = claimed(key, webhook_url=HOOK)
    execute(job)
    stored = row(job)
    assert (stored["status"], stored["error"], stored["attempt"], stored["losses"]) == ("queued", None, 0, 1)
    event = job.events.last()
    assert event is not None
    assert event.note == "STORAGE_UNAVAILABLE"
    assert not job.deliveries.exists()
    Job.objects.filter(pk=job.pk).update(losses=9, due_at=Now())
    execute(claim_again(job))
    error = error_of(job)
    assert error["code"] == "STORAGE_UNAVAILABLE"
    assert error["details"] == {"retryable": True}
    assert "/srv" not in error["message"]
    assert job.deliveries.get().event == "job.failed"
    assert nothing_left(settings)


def test_only_storing_is_tried_again_while_the_storage_is_away(key: ApiKey, settings: Settings) -> None:
    settings.STORAGES = troubled(settings, "AwayAtFirst")
    job = claimed(key)
    execute(job)
    stored = row(job)
    assert (stored["status"], stored["attempt"], stored["claims"]) == ("completed", 1, 1)
    assert stored_keys() == keys_with_pictures(job)


@pytest.mark.skipif(bool(django_settings.BUCKET), reason="a bucket is no disk")
def test_result_that_the_disk_cannot_keep_is_not_published(
    key: ApiKey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    settings.JOB_TIME_LIMIT = 1
    monkeypatch.setattr(os, "fsync", fail)
    job = claimed(key)
    execute(job)
    assert row(job)["status"] == "queued"
    assert nothing_left(settings)


@pytest.mark.parametrize(("pause", "most"), [(10, 20), (1e9, 86_400)], ids=["short", "never for days"])
def test_job_that_is_tried_again_waits_at_most_twice_the_pause(
    account: Account, live_key: str, settings: Settings, pause: float, most: float
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    settings.STAC_ROOTS = {"sentinel-2": (f"http://{nobody}",)}
    settings.PRIVATE_HOSTS = frozenset({nobody})
    settings.RETRY_SECONDS = pause
    job = claimed(account.api_keys.get(mode="live"))
    execute(job)
    stored = row(job)
    assert stored["retry_reason"]["code"] == "PROVIDER_UNAVAILABLE"
    event = job.events.last()
    assert event is not None
    wait = (stored["due_at"] - event.at).total_seconds()
    assert -1 < wait <= most


# --- Time limit ------------------------------------------------------------------------------------------------------


def test_forced_outage_is_tried_again_within_a_second(key: ApiKey) -> None:
    job = claimed(key, scene_ids=["sentinel-2:TEST_PROVIDER_DOWN"])
    execute(job)
    job.refresh_from_db()
    event = job.events.last()
    assert event is not None
    assert (job.status, job.attempt, job.due_at - event.at < timedelta(seconds=1)) == ("queued", 1, True)


def test_time_limit_fails_a_job(key: ApiKey, settings: Settings) -> None:
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
    assert nothing_left(settings)


def test_time_limit_fails_a_job_also_while_its_file_is_stored(key: ApiKey, settings: Settings) -> None:
    settings.STORAGES = troubled(settings, "OutOfTime")
    job = claimed(key)
    execute(job)
    assert error_of(job)["code"] == "TIMED_OUT"
    assert nothing_left(settings)


# --- Cancelled and overtaken -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage_class", ["CancelledAtTheStart", "CancelledWhileSaving"])
def test_job_cancelled_meanwhile_leaves_no_file(key: ApiKey, settings: Settings, storage_class: str) -> None:
    settings.STORAGES = troubled(settings, storage_class)
    first = claimed(key)
    first.release(AWAY, timedelta(0))
    job = claim_again(first)
    execute(job)
    assert error_of(job)["code"] == "CANCELED"
    assert row(job)["result"] is None
    assert verbs(job) == ["claim", "release", "claim", "cancel"]
    assert nothing_left(settings)


def test_worker_given_up_as_lost_deletes_only_its_own_file(key: ApiKey) -> None:
    late = claimed(key)
    assert Job.objects.get(pk=late.pk).release(AWAY, timedelta(0))
    current = claim_again(late)
    execute(current)
    before, files = row(current), stored_keys()
    execute(late)
    assert row(current) == before
    assert stored_keys() == files
