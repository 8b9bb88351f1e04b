"""The sweeps find lost jobs, lost messages, due webhooks, expired files and left-over folders."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import IdempotencyKey, Job
from processing.tasks import expire_results, sweep
from tests.accounts.clock import Clock
from tests.processing.conftest import use_storage
from tests.processing.jobs import HOOK, claimed, completed, failed, files_below, queued, row, take_messages, verbs

# --- The sweep ------------------------------------------------------------------------------------------------------


def test_lost_job_returns_to_the_queue_and_gets_a_message(key: ApiKey, clock: Clock) -> None:
    job, alive = claimed(key), claimed(key)
    clock.move(minutes=11)
    alive.heartbeat()
    sweep()
    assert row(job)["status"] == "queued"
    assert row(alive)["status"] == "processing"
    assert take_messages() == [("run_job", job.pk)]
    assert Job.objects.claim(job.pk) is not None


def test_job_without_attempts_left_fails_and_leaves_no_file(
    key: ApiKey, clock: Clock, settings: Settings, storage: Path
) -> None:
    settings.JOB_ATTEMPTS = 1
    job = claimed(key, webhook_url=HOOK)
    left_over = storage / "jobs" / job.pk / "1" / "ndvi_output.tif"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    clock.move(minutes=11)
    sweep()
    assert row(job)["error"]["code"] == "WORKER_LOST"
    assert files_below(storage) == []
    assert ("deliver_webhook", job.deliveries.get().pk) in take_messages()


def test_queued_job_without_a_message_gets_one(key: ApiKey) -> None:
    job = queued(key)
    sweep()
    assert take_messages() == [("run_job", job.pk)]


def test_message_is_sent_again_only_after_a_while(key: ApiKey, clock: Clock) -> None:
    job = queued(key)
    sweep()
    take_messages()
    sweep()
    assert take_messages() == [], "a worker has not had time to claim the job"
    clock.move(hours=1)
    sweep()
    assert take_messages() == [("run_job", job.pk)]


def test_jobs_that_need_no_worker_get_no_message(key: ApiKey) -> None:
    claimed(key)
    completed(key)
    failed(key)
    later = claimed(key)
    later.release("again", timedelta(minutes=5))
    sweep()
    assert take_messages() == []


def test_messages_that_the_broker_refused_are_sent_later(key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    jobs = [queued(key), queued(key)]
    failed(key, webhook_url=HOOK)
    with monkeypatch.context() as outage:
        outage.setattr("kombu.messaging.Producer.publish", refuse)
        sweep()
    sweep()
    messages = take_messages()
    assert {argument for task, argument in messages if task == "run_job"} == {job.pk for job in jobs}
    assert [task for task, _ in messages].count("deliver_webhook") == 1


def test_due_webhooks_are_sent(key: ApiKey, clock: Clock) -> None:
    due, later, done = (failed(key, webhook_url=HOOK).deliveries.get() for _ in range(3))
    type(later).objects.filter(pk=later.pk).update(next_attempt_at=clock.now + timedelta(seconds=60))
    type(done).objects.filter(pk=done.pk).update(status="delivered")
    sweep()
    assert take_messages() == [("deliver_webhook", due.pk)]
    clock.move(seconds=60)
    sweep()
    assert ("deliver_webhook", later.pk) in take_messages()


def test_second_sweep_changes_nothing(key: ApiKey, clock: Clock) -> None:
    jobs = [queued(key), claimed(key), completed(key), failed(key)]
    clock.move(minutes=11)
    sweep()
    before = [(row(job), verbs(job)) for job in jobs]
    sweep()
    assert [(row(job), verbs(job)) for job in jobs] == before


# --- Expiry ---------------------------------------------------------------------------------------------------------


def test_expired_files_are_deleted_and_others_kept(key: ApiKey, clock: Clock, storage: Path) -> None:
    old = completed(key)
    clock.move(hours=23)
    young = completed(key)
    clock.move(hours=1)
    expire_results()
    assert files_below(storage) == [storage / young.result_key]
    stored = row(old)
    assert (stored["status"], stored["result_key"]) == ("completed", "")
    assert stored["result"] == old.result
    assert verbs(old) == ["submit", "claim", "complete", "expire"]
    assert verbs(young)[-1] == "complete"
    expire_results()
    assert verbs(old).count("expire") == 1


def test_file_that_cannot_be_deleted_now_is_deleted_later(
    key: ApiKey, clock: Clock, settings: Settings, storage: Path
) -> None:
    job, working = completed(key), settings.STORAGES
    clock.move(hours=24)
    settings.STORAGES = use_storage(settings, "tests.processing.storages.KeepingAll", storage)
    expire_results()
    settings.STORAGES = working
    expire_results()
    assert files_below(storage) == []
    assert verbs(job)[-1] == "expire"


def test_missing_file_stops_no_other_deletion(key: ApiKey, clock: Clock, storage: Path) -> None:
    jobs = [completed(key) for _ in range(3)]
    (storage / jobs[1].result_key).unlink()
    clock.move(hours=24)
    expire_results()
    assert files_below(storage) == []
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


def test_old_idempotency_keys_are_removed(key: ApiKey, clock: Clock) -> None:
    for hours in (1, 23.9, 24.1, 100):
        created = clock.now - timedelta(hours=hours)
        IdempotencyKey.objects.create(account=key.account, key=f"{hours}", job=queued(key), created_at=created)
    expire_results()
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"1", "23.9"}
    assert Job.objects.count() == 4, "the jobs are kept"
