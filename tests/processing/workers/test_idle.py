"""Idle workers find what is due without a message: those that went missing, and rows whose time has come."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError as DatabaseAway
from django.db.backends.signals import connection_created
from kombu.exceptions import OperationalError

from accounts.models import ApiKey
from astra.outages import Breaker
from processing.workers.idle import keep_looking, look
from tests.processing.clock import Clock
from tests.processing.jobs import AWAY, HOOK, claimed, completed, failed, queued, take_messages
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_queued_job_without_a_message_gets_one(key: ApiKey) -> None:
    queued(key)
    look("rasters", free=2)
    assert take_messages() == ["work"]


def test_long_queue_gets_as_many_messages_as_there_are_idle_processes(key: ApiKey) -> None:
    for _ in range(5):
        queued(key)
    look("rasters", free=2)
    assert take_messages() == ["work", "work"]


def test_jobs_that_need_no_worker_get_no_message(key: ApiKey) -> None:
    claimed(key)
    completed(key)
    failed(key)
    claimed(key).release(AWAY, timedelta(minutes=5))
    look("rasters", free=2)
    assert take_messages() == []


def test_due_webhooks_are_sent(key: ApiKey, clock: Clock) -> None:
    _, later, done = (failed(key, webhook_url=HOOK).deliveries.get() for _ in range(3))
    in_a_minute = datetime.now(UTC) + timedelta(seconds=60)
    type(later).objects.filter(pk=later.pk).update(next_attempt_at=in_a_minute)
    type(done).objects.filter(pk=done.pk).update(status="delivered")
    look("webhooks", free=4)
    assert take_messages() == ["deliver"]
    clock.move(seconds=61)
    look("webhooks", free=4)
    assert take_messages() == ["deliver", "deliver"]


def test_messages_that_the_broker_refused_are_sent_later(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, closed_breaker: Breaker
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    queued(key)
    with monkeypatch.context() as outage:
        outage.setattr("kombu.messaging.Producer.publish", refuse)
        look("rasters", free=1)
    assert take_messages() == []
    closed_breaker.note(success=True)
    look("rasters", free=1)
    assert take_messages() == ["work"]


def test_worker_goes_on_looking_though_the_database_was_away(key: ApiKey, caplog: pytest.LogCaptureFixture) -> None:
    back, stop = Event(), Event()

    def refuse_until_back(connection: Any, **_: Any) -> None:
        def ask(execute: Callable[..., Any], *arguments: Any) -> Any:
            if not back.is_set():
                raise DatabaseAway("connection refused")
            return execute(*arguments)

        connection.execute_wrappers.append(ask)

    queued(key)
    connection_created.connect(refuse_until_back)
    try:
        thread = keep_looking("rasters", 1, stop)
        assert thread is not None
        wait_until(lambda: "the database is away: connection refused" in caplog.messages)
        back.set()
        wait_until(lambda: "work" in take_messages())
    finally:
        connection_created.disconnect(refuse_until_back)
        stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_workers_of_other_queues_have_nothing_to_look_for() -> None:
    assert keep_looking("control", 2) is None
