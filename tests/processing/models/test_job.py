"""The job's verbs: what each may change, which loses a race, and what is written together."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import ApiKey
from processing.models import Job, JobEvent, WebhookDelivery
from tests.processing.clock import Clock
from tests.processing.jobs import (
    AWAY,
    ERROR,
    HOOK,
    all_at_once,
    claim,
    claim_again,
    claimed,
    completed,
    failed,
    finish,
    lose_worker,
    queued,
    row,
    verbs,
)

MAKE: dict[str, Callable[..., Job]] = {
    "queued": queued,
    "processing": claimed,
    "completed": completed,
    "failed": failed,
}
VERBS: dict[str, Callable[[Job], bool]] = {
    "claim": lambda job: claim(job) is not None,
    "release": lambda job: job.release(AWAY, timedelta(0)),
    "complete": finish,
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


# --- The table of transitions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", MAKE)
def test_every_verb_from_every_status(key: ApiKey, status: str, verb: str) -> None:
    job = MAKE[status](key)
    before, events = row(job), verbs(job)
    assert before["status"] == status
    moved = VERBS[verb](job)
    if (status, verb) in ALLOWED:
        assert moved
        assert row(job)["status"] == ALLOWED[status, verb]
        assert verbs(job) == [*events, verb]
    else:
        assert not moved
        assert row(job) == before
        assert verbs(job) == events


@pytest.mark.parametrize("verb", VERBS)
def test_deleted_job_cannot_change(key: ApiKey, verb: str) -> None:
    job = claimed(key)
    Job.objects.filter(pk=job.pk).delete()
    assert not VERBS[verb](job)
    assert not JobEvent.objects.exists()


def test_events_hold_attempt_reason_and_actor(key: ApiKey) -> None:
    job = claimed(key)
    job.release(AWAY, timedelta(0))
    again = claim_again(job)
    again.fail(ERROR)
    again.retry("erin")
    events = list(job.events.values_list("verb", "attempt", "note", "actor"))
    assert events == [
        ("claim", 1, "", ""),
        ("release", 1, "PROVIDER_UNAVAILABLE", ""),
        ("claim", 2, "", ""),
        ("fail", 2, ERROR["code"], ""),
        ("retry", 2, "", "erin"),
    ]


# --- Attempts that are over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        finish,
        lambda job: job.fail(ERROR),
        lambda job: job.release(AWAY, timedelta(0)),
        lambda job: job.heartbeat(),
        lambda job: job.report_progress(99),
        lambda job: job.give_up_for_lost(),
    ],
    ids=["complete", "fail", "release", "heartbeat", "report_progress", "give_up_for_lost"],
)
def test_worker_given_up_as_lost_changes_nothing(key: ApiKey, clock: Clock, act: Callable[[Job], bool]) -> None:
    late = claimed(key)
    assert lose_worker(late, clock).give_up_for_lost()
    current = claim_again(late)
    before, events = row(current), verbs(current)
    assert not act(late)
    assert row(current) == before
    assert verbs(current) == events
    assert finish(current)
    assert not act(late)
    assert row(current)["result_key"] == "jobs/2.tif"


def test_cancelling_ends_the_job_whichever_worker_has_it(key: ApiKey, clock: Clock) -> None:
    seen = claimed(key)
    lose_worker(seen, clock).give_up_for_lost()
    worker = claim_again(seen)
    assert seen.cancel(ERROR)
    assert not worker.heartbeat()


# --- Races -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_the_job(key: ApiKey) -> None:
    job = queued(key)
    taken = [taken for taken in all_at_once(8, lambda _: claim(job)) if taken]
    assert len(taken) == 1
    assert taken[0].attempt == row(job)["attempt"] == 1
    assert verbs(job) == ["claim"]


def _act(acts: list[Callable[[], bool]], number: int) -> bool:
    return acts[number]()


@pytest.mark.django_db(transaction=True)
def test_job_is_completed_or_cancelled_but_never_both(key: ApiKey) -> None:
    for _ in range(5):
        job = claimed(key, webhook_url=HOOK)
        other = Job.objects.get(pk=job.pk)
        acts: list[Callable[[], bool]] = [partial(finish, job), partial(other.cancel, ERROR)]
        done, cancelled = all_at_once(2, partial(_act, acts))
        assert done != cancelled
        assert len(verbs(job)) == 2
        assert job.deliveries.count() == 1


@pytest.mark.django_db(transaction=True)
def test_lost_job_is_released_once(key: ApiKey, clock: Clock) -> None:
    job = claimed(key)
    clock.move(minutes=11)
    copies = [Job.objects.get(pk=job.pk) for _ in range(6)]
    assert sorted(all_at_once(6, lambda number: copies[number].give_up_for_lost())) == [False] * 5 + [True]
    assert verbs(job) == ["claim", "release"]


# --- Written together ------------------------------------------------------------------------------------------------


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


def test_job_without_a_webhook_url_has_no_delivery(key: ApiKey) -> None:
    finish(claimed(key))
    assert not WebhookDelivery.objects.exists()


def test_rolled_back_end_leaves_no_trace(key: ApiKey) -> None:
    job = claimed(key, webhook_url=HOOK)
    before, events = row(job), verbs(job)

    with transaction.atomic():
        assert finish(job)
        transaction.set_rollback(True)
    assert row(job) == before
    assert verbs(job) == events
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("table", ["processing_webhookdelivery", "processing_jobevent"])
def test_end_that_cannot_be_written_whole_is_not_written(key: ApiKey, table: str) -> None:
    job = claimed(key, webhook_url=HOOK)
    before, events = row(job), verbs(job)

    def full_disk(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(f'INSERT INTO "{table}"'):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full_disk), pytest.raises(OperationalError):
        finish(job)
    assert row(job) == before
    assert verbs(job) == events
    assert not WebhookDelivery.objects.exists()
