"""The embedded set: `manage.py up` on a folder of its own, started again when it is killed."""

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.environments import UNHURRIED

from .restarter import Restarter, Unit
from .running import ROOT, RunningSet, family, of_environment, patiently, with_part
from .servers import free_port

# What is killed, by a part of its command.
_PARTS: Mapping[str, str] = {
    "web": "gunicorn",
    "webhooks": "-Q webhooks",
    "control": "-Q control",
    "beat": "celery -A astra beat",
    "broker": "valkey-server",
}


class Embedded(RunningSet):
    name = "embedded"
    kinds = ("worker", "pool child", *_PARTS, "supervisor")

    def __init__(self, data: Path, url: str, environment: Mapping[str, str], units: Restarter) -> None:
        super().__init__(data, url, environment)
        self.units = units

    def victims(self, kind: str) -> list[int]:
        supervisor = self.units.pid("up")
        if kind == "supervisor":
            return [supervisor]
        if kind in _PARTS:
            return [process.pid for process in with_part(family(supervisor)[1:], _PARTS[kind])]
        workers = with_part(family(supervisor)[1:], "-Q rasters")
        heads = [process for process in workers if _is_child_of(process, supervisor)]
        return [process.pid for process in (heads if kind == "worker" else set(workers) - set(heads))]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "astra.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()

    def stored(self) -> set[str]:
        results = self.data / "results"
        return {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}

    def left(self) -> list[str]:
        return of_environment({"ASTRA_DATA_DIR": str(self.data)})


@contextmanager
def embedded(folder: Path, environment: Mapping[str, str]) -> Iterator[Embedded]:
    """Running until the end of the block; `environment` is added to its own."""
    port, data = free_port(), folder / "data"
    data.mkdir()
    whole = {"ASTRA_DATA_DIR": str(data), "ASTRA_PLAN_LIMITS": UNHURRIED, **environment}
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port), "--workers", "2"]
    with Restarter(folder) as units:
        units.add(Unit(name="up", command=command, environment=whole))
        running = Embedded(data, f"http://127.0.0.1:{port}", whole, units)
        running.key = patiently(lambda: (data / "test_key").read_text().strip())
        running.wait_until_ready()
        yield running


def _is_child_of(process: psutil.Process, parent: int) -> bool:
    try:
        return bool(process.ppid() == parent)
    except psutil.Error:
        return False
