"""Keeps processes running, and starts them again at once, as systemd or a container's host does."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.environments import inherited

_LOOK_EVERY = 0.1
_STOP_SECONDS = 20.0


@dataclass(kw_only=True)
class Unit:
    """One command. Its group of processes ends with it, as those of a systemd unit do."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    held: bool = False
    process: subprocess.Popen[bytes] | None = None


class Restarter:
    """Used as a context manager: on the way out all units are stopped, the last one first. Logs are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._units: list[Unit] = []
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        for unit in reversed(self._units):
            self._stop(unit)

    def add(self, unit: Unit) -> None:
        with self._lock:
            self._units.append(unit)
            self._start(unit)

    def pid(self, name: str) -> int:
        """The process id of a unit; waits for one that is being started again."""
        while True:
            with self._lock:
                process = self._named(name).process
                if process is not None and process.poll() is None:
                    return process.pid
            time.sleep(_LOOK_EVERY)

    def hold(self, name: str, *, at_once: bool = False) -> None:
        """Stop the unit by SIGTERM, or at once by SIGKILL, and leave it so until `let_go`."""
        with self._lock:
            unit = self._named(name)
            unit.held = True
        if at_once:
            _kill_group(unit)
        self._stop(unit)

    def let_go(self, name: str) -> None:
        with self._lock:
            self._named(name).held = False

    def _named(self, name: str) -> Unit:
        return next(unit for unit in self._units if unit.name == name)

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_EVERY):
            with self._lock:
                for unit in self._units:
                    if not unit.held and (unit.process is None or unit.process.poll() is not None):
                        _kill_group(unit)
                        self._start(unit)

    def _start(self, unit: Unit) -> None:
        with (self._folder / f"{unit.name}.log").open("ab") as log:
            unit.process = subprocess.Popen(
                unit.command,
                env={**inherited(), **unit.environment},
                user=unit.user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self, unit: Unit) -> None:
        if unit.process is None:
            return
        unit.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            unit.process.wait(_STOP_SECONDS)
        _kill_group(unit)
        unit.process.wait()


def _kill_group(unit: Unit) -> None:
    if unit.process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(unit.process.pid, signal.SIGKILL)
