"""The whole service, as `manage.py up` starts it, on a data folder whose sandbox are the benchmark's scenes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from .measuring import ROOT

_START_SECONDS = 90.0
_JOB_SECONDS = 600.0
_POLL_SECONDS = 0.02


class ServiceFailed(Exception):
    """The service did not start, or a job did not complete."""


@dataclass(frozen=True)
class Service:
    url: str
    key: str

    def submit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._ask(self.url, json.dumps(body).encode())

    def wait_for(self, job_id: str) -> dict[str, Any]:
        """The job's body as soon as a poll says that it is completed."""
        deadline = time.monotonic() + _JOB_SECONDS
        while (job := self._ask(f"{self.url}/{job_id}"))["status"] != "completed":
            if job["status"] == "failed" or time.monotonic() > deadline:
                raise ServiceFailed(str(job["error"]))
            time.sleep(_POLL_SECONDS)
        return job

    def _ask(self, url: str, content: bytes | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with urlopen(Request(url, content, headers), timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def running_service(data: Path, sandbox: Path) -> Iterator[Service]:
    """The service with one worker that has all cores; it is ended on the way out."""
    (data / "sandbox").symlink_to(sandbox, target_is_directory=True)
    port, log = _free_port(), data / "up.out"
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--workers", "1"]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(data), stdout=output, stderr=output)
    try:
        _wait_until_up(process, log)
        yield Service(f"http://127.0.0.1:{port}/api/v1/process", (data / "test_key").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    threads = str(os.cpu_count() or 1)
    return {**kept, "ASTRA_DATA_DIR": str(data), "ASTRA_THREADS": threads, "DJANGO_SETTINGS_MODULE": "astra.settings"}


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
