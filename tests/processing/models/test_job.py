"""The job's verbs: who may change what, who loses a race, and what is written together."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import Job, JobEvent, Status, WebhookDelivery
from tests.accounts.clock import Clock
from tests.processing.jobs import ERROR, all_at_once, claimed, completed, failed, queued, row, verbs

HOOK = "https://example.com/hook"
RESULT = {"file:size": 1, "file:checksum": "1220"}
MAKE: dict[str, Callable[..., Job]] = {
    "queued": queued,
    "processing": claimed,
    "completed": completed,
    "failed": failed,
}
VERBS: dict[str, Callable[[Job], bool]] = {
    "claim": lambda job: Job.objects.claim(job.pk) is not None,
    "release": lambda job: job.release("again", timedelta(0)),
    "complete": lambda job: job.complete(result=RESULT, result_key="jobs/new.tif", warnings=["a warning"]),
    "fail": lambda job: job.fail(ERROR),
    "cancel": lambda job: job.cancel(ERROR),
    "retry": lambda job: job.retry("staff"),
}
# The documented statuses, and the only ways between them.
ALLOWED = {
    ("queued", "claim"): "processing",
    ("queued", "cancel"): "failed",
    ("processing", "release"): "queued",
    ("processing", "complete"): "completed",
    ("processing", "fail"): "failed",
    ("processing", "cancel"): "failed",
    ("failed", "retry"): "queued",
}


def finish(job: Job) -> bool:
    return job.complete(result=RESULT, result_key=f"jobs/{job.attempt}.tif", warnings=[])


def lose_worker(job: Job, clock: Clock) -> Job:
    """The lease of a job that is worked on runs out without a sign of life."""
    clock.move(minutes=11)
    (lost,) = Job.objects.lost()
    assert lost == job
    return lost


# --- The table of transitions ---------------------------------------------------------------------------------------


def test_the_documented_statuses_are_the_only_ones() -> None:
    assert set(Status.values) == set(MAKE) == {"queued", "processing", "completed", "failed"}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", MAKE)
def test_every_verb_from_every_status(key: ApiKey, status: str, verb: str) -> None:
    job = MAKE[status](key)
    before, told = row(job), verbs(job)
    assert before["status"] == status
    moved = VERBS[verb](job)
    if (status, verb) in ALLOWED:
        assert moved
        assert row(job)["status"] == ALLOWED[status, verb]
        assert verbs(job) == [*told, verb]
    else:
        assert not moved
        assert row(job) == before
        assert verbs(job) == told


@pytest.mark.parametrize("verb", VERBS)
def test_a_job_that_is_gone_cannot_be_moved(key: ApiKey, verb: str) -> None:
    job = claimed(key)
    Job.objects.filter(pk=job.pk).delete()
    assert not VERBS[verb](job)
    assert not JobEvent.objects.exists()


def test_events_tell_attempt_reason_and_actor(key: ApiKey) -> None:
    job = claimed(key)
    job.release("the catalogue is away", timedelta(0))
    again = Job.objects.claim(job.pk)
    assert again is not None
    again.fail(ERROR)
    again.retry("erin")
    told = list(job.events.values_list("verb", "attempt", "note", "actor"))
    assert told == [
        ("submit", 0, "", ""),
        ("claim", 1, "", ""),
        ("release", 1, "the catalogue is away", ""),
        ("claim", 2, "", ""),
        ("fail", 2, ERROR["code"], ""),
        ("retry", 2, "", "erin"),
    ]


# --- The fence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        finish,
        lambda job: job.fail(ERROR),
        lambda job: job.release("late", timedelta(0)),
        lambda job: job.heartbeat(),
        lambda job: job.report_progress(99),
        lambda job: job.give_up_for_lost(),
    ],
    ids=["complete", "fail", "release", "heartbeat", "report_progress", "give_up_for_lost"],
)
def test_a_worker_that_was_given_up_changes_nothing(key: ApiKey, clock: Clock, act: Callable[[Job], bool]) -> None:
    late = claimed(key)
    assert lose_worker(late, clock).give_up_for_lost()
    current = Job.objects.claim(late.pk)
    assert current is not None
    before, told = row(current), verbs(current)
    assert not act(late)
    assert row(current) == before
    assert verbs(current) == told
    assert finish(current)
    assert not act(late)
    assert row(current)["result_key"] == "jobs/2.tif"


def test_cancelling_means_the_job_whoever_works_on_it(key: ApiKey, clock: Clock) -> None:
    seen = claimed(key)
    lose_worker(seen, clock).give_up_for_lost()
    worker = Job.objects.claim(seen.pk)
    assert worker is not None
    assert seen.cancel(ERROR)
    assert not worker.heartbeat()


# --- Races ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_the_job(key: ApiKey) -> None:
    job = queued(key)
    taken = [taken for taken in all_at_once(8, lambda _: Job.objects.claim(job.pk)) if taken]
    assert len(taken) == 1
    assert taken[0].attempt == row(job)["attempt"] == 1
    assert verbs(job) == ["submit", "claim"]


@pytest.mark.django_db(transaction=True)
def test_a_job_is_completed_or_cancelled_but_never_both(key: ApiKey) -> None:
    for _ in range(5):
        job = claimed(key, webhook_url=HOOK)
        other = Job.objects.get(pk=job.pk)
        acts: list[Callable[[], bool]] = [partial(finish, job), partial(other.cancel, ERROR)]
        done, cancelled = all_at_once(2, lambda number, acts=acts: acts[number]())
        assert done != cancelled
        assert len(verbs(job)) == 3
        assert job.deliveries.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_lost_job_is_given_back_once(key: ApiKey, clock: Clock) -> None:
    job = claimed(key)
    clock.move(minutes=11)
    copies = [Job.objects.get(pk=job.pk) for _ in range(6)]
    assert sorted(all_at_once(6, lambda number: copies[number].give_up_for_lost())) == [False] * 5 + [True]
    assert verbs(job) == ["submit", "claim", "release"]


# --- Progress and lease ---------------------------------------------------------------------------------------------


def test_progress_never_falls(key: ApiKey) -> None:
    job = claimed(key)
    shown = []
    for percent in (10, 50, 30, 50, 0, 60):
        assert job.report_progress(percent)
        shown.append(row(job)["progress"])
    assert shown == [10, 50, 50, 50, 50, 60]
    job.release("again", timedelta(0))
    again = Job.objects.claim(job.pk)
    assert again is not None
    again.report_progress(5)
    assert row(job)["progress"] == 60


def test_a_sign_of_life_keeps_the_job(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.LEASE_SECONDS = 30
    job = claimed(key)
    for sign in (job.heartbeat, lambda: job.report_progress(1), job.heartbeat):
        clock.move(seconds=29)
        assert sign()
        assert not Job.objects.lost().exists()
    clock.move(seconds=31)
    assert list(Job.objects.lost()) == [job]


def test_a_completed_job_has_all_its_progress(key: ApiKey) -> None:
    job = claimed(key)
    job.report_progress(40)
    finish(job)
    assert row(job)["progress"] == 100


# --- Trying again ---------------------------------------------------------------------------------------------------


def test_a_released_job_is_due_later(key: ApiKey, clock: Clock) -> None:
    job = claimed(key)
    assert job.release("the catalogue is away", timedelta(seconds=40))
    clock.move(seconds=39)
    assert Job.objects.claim(job.pk) is None
    assert not Job.objects.due().exists()
    clock.move(seconds=1)
    assert list(Job.objects.due()) == [job]
    again = Job.objects.claim(job.pk)
    assert again is not None
    assert again.attempt == 2


def test_a_job_whose_worker_lives_is_not_given_up(key: ApiKey) -> None:
    job = claimed(key)
    before = row(job)
    assert not job.give_up_for_lost()
    assert row(job) == before


def test_a_lost_job_is_tried_again_until_its_attempts_are_used_up(
    key: ApiKey, clock: Clock, settings: Settings
) -> None:
    settings.JOB_ATTEMPTS = 2
    settings.JOB_TIME_LIMIT = 86_400
    job = claimed(key, webhook_url=HOOK)
    assert lose_worker(job, clock).give_up_for_lost()
    assert row(job)["status"] == "queued"
    assert not WebhookDelivery.objects.exists()
    second = Job.objects.claim(job.pk)
    assert second is not None
    assert lose_worker(second, clock).give_up_for_lost()
    stored = row(job)
    assert stored["status"] == "failed"
    assert stored["error"]["code"] == "WORKER_LOST"
    assert set(stored["error"]) == {"code", "message", "details"}
    assert stored["error"]["details"]["retryable"] is True
    assert job.deliveries.get().event == "job.failed"


def test_a_lost_job_that_ran_far_too_long_ends_timed_out(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.JOB_TIME_LIMIT = 60
    job = claimed(key)
    clock.move(seconds=121)
    job.heartbeat()
    assert lose_worker(job, clock).give_up_for_lost()
    assert row(job)["error"]["code"] == "TIMED_OUT"


def test_staff_grant_a_failed_job_as_many_attempts_as_a_new_one(key: ApiKey, clock: Clock, settings: Settings) -> None:
    settings.JOB_ATTEMPTS = 2
    settings.JOB_TIME_LIMIT = 86_400
    job = failed(key)
    assert job.retry("staff")
    stored = row(job)
    assert (stored["status"], stored["error"], stored["completed_at"]) == ("queued", None, None)
    assert list(Job.objects.due()) == [job]
    for attempt, status in ((2, "queued"), (3, "failed")):
        taken = Job.objects.claim(job.pk)
        assert taken is not None
        assert taken.attempt == attempt
        lose_worker(taken, clock).give_up_for_lost()
        assert row(job)["status"] == status


def test_a_job_that_staff_retry_a_day_later_has_its_full_time_again(key: ApiKey, clock: Clock) -> None:
    job = failed(key)
    clock.move(days=1)
    assert job.retry("staff")
    taken = Job.objects.claim(job.pk)
    assert taken is not None
    assert lose_worker(taken, clock).give_up_for_lost()
    assert row(job)["status"] == "queued", "its time is counted from its first start"


def test_a_retried_job_that_completes_shows_no_error(key: ApiKey) -> None:
    job = failed(key, webhook_url=HOOK)
    job.retry("staff")
    taken = Job.objects.claim(job.pk)
    assert taken is not None
    assert finish(taken)
    stored = row(job)
    assert (stored["status"], stored["error"]) == ("completed", None)
    assert list(job.deliveries.values_list("event", flat=True)) == ["job.failed", "job.completed"]


# --- Written together -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (finish, "job.completed"),
        (lambda job: job.fail(ERROR), "job.failed"),
        (lambda job: job.cancel(ERROR), "job.failed"),
    ],
    ids=["complete", "fail", "cancel"],
)
def test_every_end_writes_exactly_one_delivery(key: ApiKey, act: Callable[[Job], bool], event: str) -> None:
    job = claimed(key, webhook_url=HOOK)
    assert not job.deliveries.exists()
    assert act(job)
    delivery = job.deliveries.get()
    assert (delivery.event, delivery.url, delivery.status, delivery.attempts) == (event, HOOK, "pending", 0)
    assert list(WebhookDelivery.objects.due()) == [delivery]
    act(job)
    assert job.deliveries.count() == 1


def test_without_a_webhook_url_there_is_no_delivery(key: ApiKey) -> None:
    finish(claimed(key))
    assert not WebhookDelivery.objects.exists()


def test_a_transaction_that_is_rolled_back_takes_all_of_the_end_with_it(key: ApiKey) -> None:
    job = claimed(key, webhook_url=HOOK)
    before, told = row(job), verbs(job)

    with transaction.atomic():
        assert finish(job)
        transaction.set_rollback(True)
    assert row(job) == before
    assert verbs(job) == told
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("table", ["processing_webhookdelivery", "processing_jobevent"])
def test_an_end_that_cannot_be_written_whole_is_not_written(key: ApiKey, table: str) -> None:
    job = claimed(key, webhook_url=HOOK)
    before, told = row(job), verbs(job)

    def full_disk(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(f'INSERT INTO "{table}"'):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full_disk), pytest.raises(OperationalError):
        finish(job)
    assert row(job) == before
    assert verbs(job) == told
    assert not WebhookDelivery.objects.exists()
