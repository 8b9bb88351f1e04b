"""A running set, as its callers, its operator and whoever kills its processes see it."""

import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from tests.environments import inherited

Answer = TypeVar("Answer")

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_OUTAGE = 120.0  # seconds until a question is given up


class RunningSet(ABC):
    """`environment` is that of its processes, `data` its folder, `url` where its API is."""

    name: str
    kinds: Sequence[str]

    def __init__(self, data: Path, url: str, environment: Mapping[str, str]) -> None:
        self.data, self.url, self.environment = data, url, environment
        self.key = ""
        self._sessions = threading.local()

    @abstractmethod
    def victims(self, kind: str) -> list[int]:
        """The ids of the processes of this kind that run now."""

    @abstractmethod
    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query, asked once. Raises an error of the driver."""

    @abstractmethod
    def stored(self) -> set[str]:
        """The keys of all files in the storage."""

    @abstractmethod
    def left(self) -> list[str]:
        """The commands of processes of the set that still run; for use after its end."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Asked until the database answers, as it may be killed, too."""
        return patiently(lambda: self.ask(sql))

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer of the API, asked until there is one."""

        def once() -> Any:
            answer = self.send(method, path, **options)
            if answer.status_code >= 500:
                raise ConnectionError(answer.text)
            answer.raise_for_status()
            return answer.json()

        return patiently(once)

    def send(self, method: str, path: str, timeout: float = 10, **options: Any) -> requests.Response:
        """One request with the key, by a connection that this thread keeps."""
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        answer: requests.Response = self._sessions.session.request(
            method, f"{self.url}{path}", headers=headers, timeout=timeout, **options
        )
        return answer

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**inherited(), **self.environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr or done.stdout)
        return done.stdout

    def wait_until_ready(self) -> None:
        """Until the web process reaches the database, and no worker is missing."""

        def once() -> None:
            answer = self.send("GET", "/readyz").json()
            if answer.get("degraded"):
                raise ConnectionError(str(answer))

        patiently(once)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns, once it raises nothing."""
    ends = time.monotonic() + _LONGEST_OUTAGE
    while True:
        try:
            return ask()
        except Exception:  # each server has its own errors while it is away
            if time.monotonic() > ends:
                raise
        time.sleep(0.1)


def with_part(processes: Iterable[psutil.Process], part: str) -> list[psutil.Process]:
    """Those whose command has this part."""
    found = []
    for process in processes:
        with suppress(psutil.Error):
            if part in " ".join(process.cmdline()):
                found.append(process)
    return found


def family(pid: int) -> list[psutil.Process]:
    """The process and all its descendants."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def of_environment(marks: Mapping[str, str]) -> list[str]:
    """The commands of all processes that have these variables."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if marks.items() <= process.environ().items():
                found.append(" ".join(process.cmdline()))
    return found
