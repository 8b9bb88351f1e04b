"""Connections of web processes, to a real PostgreSQL."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from psycopg_pool import ConnectionPool

from astra.databases import postgresql as settings_of
from astra.databases.web import ImpatientConnection, server
from astra.databases.web.base import DatabaseWrapper
from astra.databases.web.impatient import Server
from tests.production_set import postgresql
from tests.servers import free_port


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(autouse=True)
def believed_to_answer() -> Iterator[None]:
    yield
    server.note(success=True)


def database_at(url: str) -> DatabaseWrapper:
    database = ConnectionHandler({"default": settings_of(url, pooled=True)})["default"]
    assert isinstance(database, DatabaseWrapper)
    return database


@pytest.mark.django_db
def test_database_that_is_away_is_not_asked_again_for_a_while() -> None:
    database = database_at(f"postgres://astra@127.0.0.1:{free_port()}/astra")
    for _ in range(10):  # until a second has passed without an answer
        with pytest.raises(OperationalError) as refused:
            database.ensure_connection()
        if server.is_open:
            break
    assert "has just failed" not in str(refused.value)
    with pytest.raises(OperationalError, match="has just failed"):
        database.ensure_connection()
    database.close_pool()


def test_server_that_answers_others_is_only_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    busy = Server()
    busy.note_answer()
    busy.note_refusal()
    assert not busy.is_open
    now[0] += 2
    busy.note_refusal()
    assert busy.is_open


@pytest.mark.django_db
def test_first_answer_ends_the_pause(url: str) -> None:
    database = database_at(url)
    server.note(success=False)
    ends = time.monotonic() + 10
    while server.is_open and time.monotonic() < ends:
        with suppress(OperationalError), database.cursor() as cursor:
            cursor.execute("SELECT 1")
    database.ensure_connection()
    database.close()
    database.close_pool()


def test_silent_server_is_given_up_and_its_connection_closed(url: str) -> None:
    with ImpatientConnection.connect(url, autocommit=True) as connection:
        silent = connection.info.backend_pid
        os.kill(silent, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            assert time.monotonic() - began < 5
            assert connection.closed
            assert server.is_open
        finally:
            os.kill(silent, signal.SIGCONT)


def test_error_of_the_server_closes_nothing(url: str) -> None:
    with ImpatientConnection.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_pool_asks_only_connections_that_have_not_just_answered(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ImpatientConnection.connect(url, autocommit=True) as connection:
        connection.execute("SELECT 1")
        moment = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: moment)
        os.kill(connection.info.backend_pid, signal.SIGTERM)
        ConnectionPool.check_connection(connection)
        moment += 2
        with pytest.raises(psycopg.OperationalError):
            ConnectionPool.check_connection(connection)


# --- Plans that the server keeps ------------------------------------------------------------------------------------


def kept_plans(database: DatabaseWrapper) -> list[str]:
    """The statements that the server keeps plans of for this connection."""
    with database.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def ask_twice(database: DatabaseWrapper) -> list[int]:
    answers = []
    for number in (1, 2):
        with database.prepared_cursor() as cursor:
            cursor.execute("SELECT 10 * %s", [number])
            answers.append(cursor.fetchone()[0])
    return answers


@pytest.mark.django_db
def test_server_keeps_the_plan_of_a_statement_that_is_asked_again(url: str) -> None:
    database = database_at(url)
    assert ask_twice(database) == [10, 20]
    assert kept_plans(database) == ["SELECT 10 * $1"]
    database.close()
    database.close_pool()


@pytest.mark.django_db
def test_behind_a_pooler_no_plan_is_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hands out process ids of its own making."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda info: 1))
    database = database_at(url)
    assert ask_twice(database) == [10, 20]
    assert kept_plans(database) == []
    database.close()
    database.close_pool()


@pytest.mark.django_db
def test_all_other_statements_have_no_plan_that_is_kept(url: str) -> None:
    database = database_at(url)
    ask_twice(database)
    for _ in range(10):
        with database.cursor() as cursor:
            cursor.execute("SELECT 20 * %s", [1])
    assert kept_plans(database) == ["SELECT 10 * $1"]
    database.close()
    database.close_pool()
