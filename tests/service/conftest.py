"""A served instance: `manage.py up` as an operator runs it, on a free port and a data folder of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from tests.servers import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """`manage.py up` as a child process. `environment` adds to its settings."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None, workers: int = 1) -> None:
        self.data, self.port, self._workers = data, free_port(), workers
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "ASTRA_DATA_DIR": str(data),
            "DJANGO_SETTINGS_MODULE": "astra.settings",
            **(environment or {}),
        }
        self.process: subprocess.Popen[str] | None = None
        self.keys_of_jobs: dict[str, str] = {}  # of those that were submitted by another key than the first

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return (self.data / "up.out").read_text()

    @property
    def key(self) -> str:
        return (self.data / "test_key").read_text()

    def manage(self, *arguments: str) -> str:
        """Run another of the project's commands on the same data."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True, timeout=120
        )
        return done.stdout

    def submit(self, body: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """POST a job (the documentation's NDVI example unless `body` says otherwise) and return the answer's body."""
        example = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}
        answer = requests.post(
            f"{self.url}/api/v1/process",
            json={**(body or example), **fields},
            headers=self.headers,
            timeout=10,
        )
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def poll(self, job_id: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.keys_of_jobs.get(job_id, self.key)}"}
        answer = requests.get(f"{self.url}/api/v1/process/{job_id}", headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_for(self, job_id: str, seconds: float = 60) -> dict[str, Any]:
        """The job's body once it is completed or failed."""
        finished = lambda: (job := self.poll(job_id))["status"] in ("completed", "failed") and job  # noqa: E731
        return dict(wait_until(finished, seconds, f"the end of {job_id}"))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def start(self) -> Self:
        self.launch()
        wait_until(lambda: self._is_up(), 90, "the service")
        return self

    def launch(self) -> None:
        """Start without waiting for it."""
        with (self.data / "up.out").open("w") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "up",
                    "--port",
                    str(self.port),
                    "--workers",
                    str(self._workers),
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output
        return "ASTRA is up" in self.output

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        """End all its processes at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """The commands of all processes on this instance's data, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_text().replace("\0", " ")
                if command and self._is_ours(folder):
                    found[int(folder.name)] = command
            except OSError:
                continue
        return found

    def _is_ours(self, folder: Path) -> bool:
        """By the environment, or by the working folder, as the broker overwrites its environment."""
        environment = (folder / "environ").read_bytes().split(b"\0")
        return f"ASTRA_DATA_DIR={self.data}".encode() in environment or (folder / "cwd").readlink().is_relative_to(
            self.data
        )


NewService = Callable[[Mapping[str, str]], Service]


@pytest.fixture(scope="module")
def new_service(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewService]:
    """Makes instances with other settings, not started. All are ended after the module's tests."""
    made: list[Service] = []

    def make(environment: Mapping[str, str]) -> Service:
        data = tmp_path_factory.mktemp("instance")
        # Writing the sandbox takes seconds, and it is the same for all.
        shutil.copytree(service.data / "sandbox", data / "sandbox", copy_function=os.link)
        made.append(Service(data, environment))
        return made[-1]

    yield make
    for instance in made:
        instance.kill()
