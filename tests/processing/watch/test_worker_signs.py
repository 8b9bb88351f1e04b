"""Workers give signs of life, and a database that is away does not stop them."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created

from processing.models.signs import Sign
from processing.watch.worker_signs import give_signs

from .ages import aged

pytestmark = pytest.mark.django_db(transaction=True)


def give_one_sign(node: str) -> None:
    """As a worker does at its start, in a thread."""
    stop = Event()
    stop.set()
    thread = give_signs(node, 2, stop)
    thread.join(30)
    assert not thread.is_alive()


def test_worker_is_seen_by_its_name() -> None:
    give_one_sign("rasters@host")
    assert Sign.objects.ages()["worker:rasters@host"] < 30


def test_processes_of_workers_that_live_are_counted() -> None:
    for name in ("rasters@one", "rasters@two", "rasters@gone"):
        give_one_sign(name)
    aged(Sign.objects.get(name="worker:rasters@gone"), "at", minutes=5)
    Sign.objects.give("sweep")
    assert Sign.objects.processes() == 4


def test_second_sign_renews_the_first() -> None:
    give_one_sign("rasters@host")
    aged(Sign.objects.get(), "at", minutes=5)
    give_one_sign("rasters@host")
    assert Sign.objects.ages()["worker:rasters@host"] < 30


def test_workers_of_yesterday_are_forgotten_and_nothing_else() -> None:
    for name in ("worker:rasters@old", "worker:rasters@idle", "sweep"):
        Sign.objects.give(name)
    aged(Sign.objects.get(name="worker:rasters@old"), "at", hours=25)
    aged(Sign.objects.get(name="sweep"), "at", hours=25)
    give_one_sign("rasters@new")
    assert set(Sign.objects.ages()) == {"worker:rasters@idle", "worker:rasters@new", "sweep"}


def test_database_that_is_away_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(connection: Any, **_: Any) -> None:
        def fail(execute: Callable[..., Any], *arguments: Any) -> Any:
            raise OperationalError("connection refused")

        connection.execute_wrappers.append(fail)

    connection_created.connect(refuse)
    try:
        give_one_sign("rasters@host")
    finally:
        connection_created.disconnect(refuse)
    assert "no sign of life: connection refused" in caplog.messages
    assert not Sign.objects.exists()
