"""stac-fastapi with pgstac, over a PostgreSQL of its own: for machines that have PostGIS."""

import json
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.servers import collection_document, free_port, is_up, wait_until

Environment = Mapping[str, str]
# They are in an environment of their own, which `.ci/run` makes: pypgstac wants another cachetools than the tests, and
# together they bring over thirty packages for which most machines have no PostGIS.
PACKAGES = "'stac-fastapi-pgstac[server]==7.2.0' 'pypgstac[psycopg]==0.10.0'"
PROGRAMS = Path(__file__).parents[3] / ".venv-pgstac" / "bin"


@contextmanager
def pgstac(folder: Path, *held: tuple[str, Sequence[Mapping[str, Any]]]) -> Iterator[list[str]]:
    """The root of one real STAC API, once for each collection and its items. Skips the test where it cannot run."""
    programs = _postgresql_with_postgis()
    if programs is None:
        pytest.skip("PostGIS is not installed")
    if not (PROGRAMS / "pypgstac").exists():
        pytest.skip(f"{PROGRAMS} has no stac-fastapi-pgstac: make that environment, and pip install {PACKAGES}")
    folder.mkdir(parents=True)
    with _database(programs) as environment:
        _run([PROGRAMS / "pypgstac", "migrate"], env=environment)
        _load(folder, "collections", [collection_document(name) for name, _ in held], environment)
        _load(folder, "items", [{**item, "collection": name} for name, items in held for item in items], environment)
        with _api(environment) as root:
            yield [root] * len(held)


def _postgresql_with_postgis() -> Path | None:
    """The folder of the programs of a PostgreSQL that has PostGIS."""
    installed = [*Path("/usr/lib/postgresql").glob("*/bin/pg_config"), shutil.which("pg_config")]
    for pg_config in filter(None, installed):
        told = _run([pg_config, "--bindir", "--sharedir"], capture_output=True, text=True).stdout
        programs, shared = map(Path, told.splitlines())
        if (shared / "extension" / "postgis.control").exists() and (programs / "initdb").exists():
            return programs
    return None


@contextmanager
def _database(programs: Path) -> Iterator[Environment]:
    """An empty database: the environment that leads to it."""
    owner = _owner()
    port = str(free_port())
    # Not below pytest's folder, which only the user who runs the tests may enter.
    with TemporaryDirectory(prefix="astra-pgstac-") as folder:
        os.chown(folder, owner.get("user", -1), owner.get("group", -1))
        settings = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C", "--no-sync"]
        _run([programs / "initdb", "-D", folder, *settings], **owner)
        server: list[str | Path] = [programs / "postgres", "-D", folder, "-h", "127.0.0.1", "-p", port, "-k", "", "-F"]
        ready = partial(_is_ready, [programs / "pg_isready", "-h", "127.0.0.1", "-p", port])
        with _running(server, ready, **owner):
            place = {"PGHOST": "127.0.0.1", "PGPORT": port, "PGDATABASE": "postgres"}
            yield os.environ | place | {"PGUSER": "postgres", "PGPASSWORD": "any"}


def _owner() -> dict[str, Any]:
    """As whom PostgreSQL runs, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def _is_ready(pg_isready: Sequence[str | Path]) -> bool:
    return subprocess.run(pg_isready, capture_output=True, check=False).returncode == 0


def _load(folder: Path, table: str, rows: Sequence[Mapping[str, Any]], environment: Environment) -> None:
    file = folder / f"{table}.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _run([PROGRAMS / "pypgstac", "load", table, file, "--method", "insert"], env=environment)


@contextmanager
def _api(environment: Environment) -> Iterator[str]:
    """stac-fastapi over that database: its root."""
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    app: list[str | Path] = [PROGRAMS / "python", "-m", "uvicorn", "stac_fastapi.pgstac.app:create_app", "--factory"]
    with _running([*app, "--host", "127.0.0.1", "--port", str(port)], lambda: is_up(root), env=environment):
        yield root


@contextmanager
def _running(command: Sequence[str | Path], ready: Callable[[], bool], **how: Any) -> Iterator[None]:
    process = subprocess.Popen(command, **how)
    try:
        wait_until(ready, what=str(command[0]))
        yield
    finally:
        process.send_signal(signal.SIGINT)  # to which PostgreSQL ends without waiting for its clients
        process.wait(20)


_run = partial(subprocess.run, check=True)
