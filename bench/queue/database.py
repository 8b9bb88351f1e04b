"""Django on a new database that goes away afterwards."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from celery import current_app
from django.core.management import call_command

from tests.environments import UNHURRIED

from ..sets.restarter import Restarter
from ..sets.servers import add_postgresql

_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "astra.settings",
    "ASTRA_LOG_LEVEL": "ERROR",
    "ASTRA_PLAN_LIMITS": UNHURRIED,
    "ALLOWED_HOSTS": "testserver",
    "SECRET_KEY": "correct-horse-battery-staple-" * 2,
}


def options_of(program: str, description: str | None) -> argparse.Namespace:
    """What the command line of a bench says of its database."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--queued", type=int, default=100_000, help="of the jobs, those that wait")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, not on PostgreSQL")
    return parser.parse_args()


@contextmanager
def new_database(*, sqlite: bool) -> Iterator[None]:
    """A SQLite file, or a PostgreSQL as it comes, with all migrations. Only once in a process."""
    with tempfile.TemporaryDirectory() as folder, Restarter(Path(folder)) as units:
        os.environ.update({**_SETTINGS, "ASTRA_DATA_DIR": f"{folder}/data"})
        os.environ.pop("DATABASE_URL", None)
        if not sqlite:
            os.environ["DATABASE_URL"] = add_postgresql(units, Path(folder))
        django.setup()
        current_app.conf.update(broker_url="memory://")  # so that nobody waits for a broker
        call_command("migrate", verbosity=0)
        yield
