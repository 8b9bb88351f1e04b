"""The sweeps find lost jobs, jobs that stayed parked, expired files and left-over folders."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import IdempotencyKey, Job
from processing.models.signs import Sign
from processing.results import storage_key
from processing.tasks import clean_up, expire_results, sweep
from tests.processing.clock import Clock
from tests.processing.conftest import troubled
from tests.processing.jobs import (
    HOOK,
    claim,
    claimed,
    completed,
    failed,
    queued,
    row,
    stored_keys,
    verbs,
)

# --- The sweep ------------------------------------------------------------------------------------------------------


def watch_and_sweep() -> None:
    """A sweep that has gone on without a gap for an hour."""
    now = datetime.now(UTC)
    Sign.objects.update_or_create(name="sweep", defaults={"at": now, "since": now - timedelta(hours=1)})
    sweep()


def test_lost_job_returns_to_the_queue(key: ApiKey, clock: Clock) -> None:
    job, alive = claimed(key), claimed(key)
    clock.move(minutes=11)
    alive.heartbeat()
    watch_and_sweep()
    stored = row(job)
    assert (stored["status"], stored["attempt"], stored["losses"]) == ("queued", 0, 1)
    assert row(alive)["status"] == "processing"
    assert claim(job) is not None


def test_after_an_outage_workers_have_time_to_say_that_they_live(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.LEASE_SECONDS = 20
    job = claimed(key)
    sweep()
    clock.move(minutes=15)
    sweep()
    assert row(job)["status"] == "processing", "for a quarter of an hour nobody could renew a lease"
    for _ in range(3):
        clock.move(seconds=10)
        sweep()
    assert row(job)["status"] == "queued"


def test_lost_for_the_tenth_time_the_job_fails_and_leaves_no_file(key: ApiKey, clock: Clock) -> None:
    job = claimed(key, webhook_url=HOOK)
    Job.objects.filter(pk=job.pk).update(losses=9)
    default_storage.save(storage_key(job, 1), ContentFile(b"half"))
    clock.move(minutes=11)
    watch_and_sweep()
    clean_up()
    assert row(job)["error"]["code"] == "WORKER_LOST"
    assert stored_keys() == []
    assert job.deliveries.get().event == "job.failed"


def test_second_sweep_changes_nothing(key: ApiKey, clock: Clock) -> None:
    jobs = [queued(key), claimed(key), completed(key), failed(key)]
    clock.move(minutes=11)
    watch_and_sweep()
    before = [(row(job), verbs(job)) for job in jobs]
    watch_and_sweep()
    assert [(row(job), verbs(job)) for job in jobs] == before


def test_job_that_stayed_parked_goes_on(key: ApiKey) -> None:
    job = queued(key)
    Job.objects.filter(pk=job.pk).update(parked=True)
    sweep()
    assert claim(job) is not None


# --- Expiry ---------------------------------------------------------------------------------------------------------


def test_expired_files_are_deleted_and_others_kept(key: ApiKey, clock: Clock) -> None:
    old = completed(key)
    clock.move(hours=23)
    young = completed(key)
    clock.move(hours=1)
    expire_results()
    assert stored_keys() == [young.result_key]
    stored = row(old)
    assert (stored["status"], stored["result_key"]) == ("completed", "")
    assert stored["result"] == old.result
    assert verbs(old) == ["claim", "complete", "expire"]
    assert verbs(young)[-1] == "complete"
    expire_results()
    assert verbs(old).count("expire") == 1


def test_file_that_cannot_be_deleted_now_is_deleted_later(key: ApiKey, clock: Clock, settings: Settings) -> None:
    job, working = completed(key), settings.STORAGES
    clock.move(hours=24)
    settings.STORAGES = troubled(settings, "KeepingAll")
    expire_results()
    settings.STORAGES = working
    expire_results()
    assert stored_keys() == []
    assert verbs(job)[-1] == "expire"


def test_missing_file_stops_no_other_deletion(key: ApiKey, clock: Clock) -> None:
    jobs = [completed(key) for _ in range(3)]
    default_storage.delete(jobs[1].result_key)
    clock.move(hours=24)
    expire_results()
    assert stored_keys() == []
    assert [verbs(job)[-1] for job in jobs] == ["expire"] * 3


# --- Left-overs -----------------------------------------------------------------------------------------------------


def test_work_folders_of_past_attempts_are_removed(key: ApiKey, settings: Settings) -> None:
    busy, done = claimed(key), completed(key)
    folders = {
        name: settings.WORK_DIR / name for name in (f"{busy.pk}.1", f"{busy.pk}.0", f"{done.pk}.1", "job_unknown.1")
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "half.tif").touch()
    expire_results()
    assert list(settings.WORK_DIR.iterdir()) == [folders[f"{busy.pk}.1"]]
    assert (folders[f"{busy.pk}.1"] / "half.tif").exists()


@pytest.mark.parametrize("name", ["lost+found", ".nfs0001", "job_1.tmp", "job_1.1.bak"])
def test_unknown_folder_stops_no_sweep(key: ApiKey, clock: Clock, settings: Settings, name: str) -> None:
    stale = settings.WORK_DIR / "job_unknown.1"
    for folder in (settings.WORK_DIR / name, stale):
        folder.mkdir(parents=True)
    expire_results()
    assert not stale.exists()


def test_old_idempotency_keys_are_removed(key: ApiKey) -> None:
    for hours in (1, 23.9, 24.1, 100):
        created = datetime.now(UTC) - timedelta(hours=hours)
        IdempotencyKey.objects.create(account=key.account, key=f"{hours}", job=queued(key), created_at=created)
    expire_results()
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"1", "23.9"}
    assert Job.objects.count() == 4, "the jobs are kept"
