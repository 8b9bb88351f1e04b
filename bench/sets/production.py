"""The production set: the lines of the Procfile on PostgreSQL, Valkey and S3, set up by environment variables only."""

import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.environments import UNHURRIED
from tests.s3 import BUCKET, s3_client

from .restarter import Restarter, Unit
from .running import ROOT, RunningSet, family, of_environment
from .servers import add_postgresql, add_s3, add_valkey, free_port

_NEW_KEY = (
    "from accounts.models import Account, ApiKey; "
    "account = Account.objects.create(name='bench', plan='scale'); "
    "print(ApiKey.objects.issue(account, 'test')[1])"
)
_VARIABLE_OF = {"broker": "REDIS_URL", "storage": "AWS_S3_ENDPOINT_URL", "database": "DATABASE_URL"}
_LINE = re.compile(r"^(\w+): (.+)$", re.MULTILINE)


class Production(RunningSet):
    name = "production"
    kinds = ("worker", "pool child", "web", "webhooks", "control", "beat", "broker", "database")

    def __init__(self, data: Path, url: str, environment: Mapping[str, str], units: Restarter) -> None:
        super().__init__(data, url, environment)
        self.units = units

    def victims(self, kind: str) -> list[int]:
        if kind == "pool child":
            return [process.pid for process in family(self.units.pid("worker"))[1:]]
        if kind in ("web", "webhooks", "control"):
            return [process.pid for process in family(self.units.pid(kind))]
        return [self.units.pid(kind)]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], connect_timeout=3) as database:
            return database.execute(sql.encode()).fetchall()

    def stored(self) -> set[str]:
        client = s3_client(self.environment["AWS_S3_ENDPOINT_URL"])
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {file["Key"] for page in pages for file in page.get("Contents", ())}

    def left(self) -> list[str]:
        return of_environment({"ASTRA_DATA_DIR": str(self.data)})


@contextmanager
def production(
    folder: Path,
    environment: Mapping[str, str],
    gates: Sequence[str] = (),
    of_units: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[Production]:
    """Running until the end of the block; `environment` is added to its own, and wins; `of_units` is of single ones.

    The service reaches the servers named in `gates` through a gate (bench.outages.gate), unit `<server>-gate`.
    """
    data, port = folder / "data", free_port()
    data.mkdir()
    with Restarter(folder) as units:
        servers = {
            "DATABASE_URL": add_postgresql(units, folder),
            "REDIS_URL": add_valkey(units, folder),
            **add_s3(units, folder),
        }
        whole = {**_behind_gates(units, servers, gates), **_of_service(data, port), **environment}
        running = Production(data, f"http://127.0.0.1:{port}", whole, units)
        lines = dict(_LINE.findall((ROOT / "Procfile").read_text()))
        running.manage(*lines.pop("release").split()[2:])
        running.manage("makesandbox")
        running.key = running.manage("shell", "-v", "0", "-c", _NEW_KEY).split()[-1]
        for name, line in lines.items():
            command = f"cd {ROOT} && exec {line.replace('0.0.0.0', '127.0.0.1')}"
            own = {**whole, **(of_units or {}).get(name, {})}
            units.add(Unit(name=name, command=["bash", "-c", command], environment=own))
        running.wait_until_ready()
        yield running


def _of_service(data: Path, port: int) -> dict[str, str]:
    return {
        "ASTRA_DATA_DIR": str(data),
        "ASTRA_PLAN_LIMITS": UNHURRIED,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "ASTRA_THREADS": "1",
        "PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }


def _behind_gates(units: Restarter, servers: Mapping[str, str], gates: Sequence[str]) -> dict[str, str]:
    """The servers' settings, with the ports of the gates before them."""
    settings = dict(servers)
    for name in gates:
        variable, port = _VARIABLE_OF[name], free_port()
        server_port = str(urlsplit(servers[variable]).port)
        command = [sys.executable, "-m", "bench.outages.gate", str(port), server_port]
        units.add(Unit(name=f"{name}-gate", command=command))
        settings[variable] = servers[variable].replace(f":{server_port}", f":{port}", 1)
    return settings
