"""Processes and what they take: wall time, processor time and peak memory, as the kernel counts them.

The kernel hands a parent's peak memory on to its children, so the process that measures has to stay small.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO

from .markdown import spread

ROOT = Path(__file__).resolve().parents[1]
Command = Sequence[str | Path]


class ProcessFailed(Exception):
    """A measured process ended with a fault; says the last line that it printed."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Seconds, seconds of all cores, and MB (10^6 bytes) of the largest process."""

    wall: float
    cpu: float
    peak: float
    printed: str


@dataclass(kw_only=True)
class Contender:
    """What is run in turns with others: how, and what came of its runs."""

    name: str
    command: Command
    output: Path | None = None
    copies: int = 1  # that run side by side
    runs: list[Run] = field(default_factory=list)
    may_fail: bool = False  # then it is left out with a word why
    fault: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} ({self.fault})" if self.fault else self.name

    @property
    def costs(self) -> list[str]:
        """Wall time, processor time and peak memory, as they stand in tables."""
        walls, cpus, peaks = ([getattr(run, cost) for run in self.runs] for cost in ("wall", "cpu", "peak"))
        return [spread(walls), spread(cpus), spread(peaks, 0)]

    def ratio(self, other: "Contender") -> str:
        """Its wall time in that of another: the median over the turns, as two runs of one turn met a machine alike."""
        return f"{median(mine.wall / its.wall for mine, its in zip(self.runs, other.runs, strict=True)):.2f}"

    def run_once(self) -> None:
        os.sync()  # what others have written is not written back at this one's cost
        try:
            self.runs.append(run(*[self.command] * self.copies))
        except ProcessFailed as fault:
            if not self.may_fail:
                raise
            self.fault = f"failed: {fault}"
        shown = self.fault or f"{self.runs[-1].wall:.2f} s"
        print(f"  {self.name}: {shown}", file=sys.stderr, flush=True)


def take_turns(contenders: Sequence[Contender], runs: int) -> None:
    """A B C, A B C, and so on, so that what else the machine does meets all alike."""
    for _ in range(runs):
        for contender in contenders:
            if not contender.fault:
                contender.run_once()


def run(*commands: Command) -> Run:
    """Run the commands side by side, until the last one has ended. Raises ProcessFailed."""
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        processes = [
            subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
            for command in commands
        ]
        printed = [process.stdout.read() if process.stdout else "" for process in processes]
        usages = [_wait(process) for process in processes]
        wall = time.perf_counter() - started
        if any(process.returncode for process in processes):
            raise ProcessFailed(_last_line(errors))
    return Run(
        wall=wall,
        cpu=sum(usage["cpu"] for usage in usages),
        peak=max(usage["peak"] for usage in usages),
        printed="".join(printed),
    )


def _wait(process: subprocess.Popen[str]) -> Mapping[str, float]:
    """What a process and those that it has started took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024 / 1e6}


def _last_line(errors: IO[str]) -> str:
    errors.seek(0)
    return (errors.read().strip().splitlines() or ["it says nothing"])[-1]
