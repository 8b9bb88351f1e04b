"""Keeps a set of child processes running until a signal stops it, and leaves none behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from .guard import kill_group
from .left_over import record
from .log_files import rotate

_STEADY_SECONDS = 20.0  # a child that ran this long is not failing again and again
# Each child is waited for by others, so one that fails again and again still starts this often: seconds.
_LONGEST_PAUSE = 2.0
_LOOK_EVERY = 0.1


class ChildFailed(Exception):
    """A child that runs once ended with an error."""


@dataclass(kw_only=True)
class Child:
    """One process to keep running. Its output goes to `log`. One that `outlives` is stopped after the others."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    outlives: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0

    def start(self) -> int:
        """Start in a session of its own: the whole group can be ended, and Ctrl-C reaches only us. Returns the pid."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_at = time.monotonic()
        return self.process.pid

    def note_death(self) -> float:
        """Set when to start again, later after each failure in a row. Returns the pause in seconds."""
        now = time.monotonic()
        self.failures = 0 if now - self.started_at > _STEADY_SECONDS else self.failures + 1
        pause: float = min(_LONGEST_PAUSE, 0.2 * 2**self.failures)
        self.process, self.start_again_at = None, now + pause
        return pause


class Supervisor:
    """Runs children, restarts those that die, and stops them on the way out; each has `stop_seconds` for that.

    If this process is killed, a guard process stops them. If both are killed, `kill_left_over` can, by what stands in
    the file `pids`. `say` gets a line about each death.
    """

    def __init__(self, say: Callable[[str], None], pids: Path, stop_seconds: float) -> None:
        self._say, self._pids, self._stop_seconds = say, pids, stop_seconds
        self._children: list[Child] = []
        self._stop = False
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self._guard = self._start_guard()
        return self

    def __exit__(self, *error: object) -> None:
        for outlives in (False, True):
            self._end([child for child in self._children if child.outlives is outlives])
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()

    @property
    def stopping(self) -> bool:
        return self._stop

    def add(self, child: Child) -> None:
        """Start the child and keep it running from now on."""
        self._children.append(child)
        self._start(child)

    def run(self, child: Child) -> bool:
        """Run a child to its end, once. False if a signal stopped us before. Raises ChildFailed."""
        self._start(child)
        process = child.process
        while process is not None and process.poll() is None and not self._stop:
            time.sleep(_LOOK_EVERY)
        self._end([child])
        if process is not None and process.returncode and not self._stop:
            raise ChildFailed(f"{child.name} ended with status {process.returncode}; see {child.log}.")
        return not self._stop

    def watch(self) -> None:
        """Stay until a signal stops us."""
        while not self._stop:
            self.look_once()
            time.sleep(_LOOK_EVERY)

    def look_once(self) -> None:
        """Note the children that died, restart those whose pause is over, and keep the logs small."""
        for child in self._children:
            rotate(child.log)
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process)
            if child.process is None and time.monotonic() >= child.start_again_at:
                self._start(child)
        if self._guard is not None and self._guard.poll() is not None:
            self._replace_guard()

    def _start(self, child: Child) -> None:
        self._inform_guard("+", child.start())
        self._keep_pids()

    def _bury(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        """Kill the rest of its group: a dead worker's own children would go on with jobs that others have now."""
        kill_group(process.pid)
        self._inform_guard("-", process.pid)
        pause = child.note_death()
        self._keep_pids()
        self._say(f"{child.name} ended with status {process.returncode}; starting it again in {pause:.1f} s")

    def _end(self, children: Iterable[Child]) -> None:
        """Ask all to stop at once, then kill what is left of each when its time is over."""
        running = [child.process for child in children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._stop_seconds
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            kill_group(process.pid)
            process.wait()
            self._inform_guard("-", process.pid)

    def _keep_pids(self) -> None:
        record(self._pids, [child.process.pid for child in self._children if child.process is not None])

    def _start_guard(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "astra.embedded.guard"]
        root = Path(__file__).resolve().parents[2]
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=root, start_new_session=True)

    def _replace_guard(self) -> None:
        self._guard = self._start_guard()
        for child in self._children:
            if child.process is not None:
                self._inform_guard("+", child.process.pid)

    def _inform_guard(self, sign: str, pid: int) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(BrokenPipeError):
                self._guard.stdin.write(f"{sign}{pid}\n".encode())
                self._guard.stdin.flush()

    def _on_signal(self, number: int, frame: object) -> None:
        self._stop = True
