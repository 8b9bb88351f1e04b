"""Connections of web processes, to a real PostgreSQL."""

import os
import signal
import time
from collections.abc import Iterator

import psycopg
import pytest

from astra.databases.impatient import ImpatientConnection
from tests.production_set import postgresql


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as url:
        yield url


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
        finally:
            os.kill(silent, signal.SIGCONT)


def test_error_of_the_server_closes_nothing(url: str) -> None:
    with ImpatientConnection.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.execute("SELECT 1").fetchone() == (1,)
