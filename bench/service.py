"""The whole service, as `manage.py up` starts it, on a data folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.environments import UNHURRIED

from .measuring import ROOT

_START_SECONDS = 90.0
_JOB_SECONDS = 600.0
_JOBS = "/api/v1/process"


class ServiceFailed(Exception):
    """The service did not start, or a job did not complete."""


class Service:
    """Its API by one connection that stays open, because polls take time of the cores that the worker uses."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=10)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def submit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._connection.close()  # the server has given up what was idle for seconds; the next request opens another
        return self._ask("POST", _JOBS, json.dumps(body))

    def wait_for(self, job_id: str, poll_seconds: float) -> dict[str, Any]:
        """The job's body as soon as a poll says that it is completed."""
        deadline = time.monotonic() + _JOB_SECONDS
        while (job := self._ask("GET", f"{_JOBS}/{job_id}"))["status"] != "completed":
            if job["status"] == "failed" or time.monotonic() > deadline:
                raise ServiceFailed(str(job["error"]))
            time.sleep(poll_seconds)
        return job

    def _ask(self, method: str, path: str, content: str | None = None) -> dict[str, Any]:
        self._connection.request(method, path, content, self._headers)
        found: dict[str, Any] = json.load(self._connection.getresponse())
        return found


@contextmanager
def running_service(data: Path, sandbox: Path) -> Iterator[Service]:
    """The service with one worker that has all cores, on the scenes in `sandbox`; it is ended on the way out."""
    (data / "sandbox").symlink_to(sandbox, target_is_directory=True)
    environment = _environment(data)
    with _up(data, environment) as port:
        yield Service(port, (data / "test_key").read_text())


@contextmanager
def live_service(data: Path, catalogue: str) -> Iterator[Service]:
    """The same for real keys, on the scenes of a STAC API of this machine."""
    environment = {**_environment(data), "ASTRA_SENTINEL2_STAC": catalogue, "ASTRA_PRIVATE_HOSTS": "127.0.0.1"}
    with _up(data, environment) as port:
        command = [sys.executable, "manage.py", "createapikey", "--account", "bench"]
        printed = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
        yield Service(port, printed.split()[-1])


@contextmanager
def _up(data: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """Its port."""
    port, log = _free_port(), data / "up.out"
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--workers", "1"]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_up(process, log)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return {
        **kept,
        "ASTRA_DATA_DIR": str(data),
        "ASTRA_PLAN_LIMITS": UNHURRIED,
        "ASTRA_THREADS": str(os.cpu_count() or 1),
        "DJANGO_SETTINGS_MODULE": "astra.settings",
    }


def _wait_until_up(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "ASTRA is up" not in (told := log.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceFailed(told)
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
