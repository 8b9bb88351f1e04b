"""Which processes a supervisor has started, kept in a file, so that the next one can end what a killed one left."""

import json
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .guard import kill_group

_SECONDS_TO_DIE = 5.0


def record(file: Path, leaders: Iterable[int]) -> None:
    """Keep these leaders of process groups, with the time of their start: a process id is used again some day."""
    started = _start_times()
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps({pid: started[pid] for pid in leaders if pid in started}))
    draft.replace(file)


def kill_left_over(file: Path) -> int:
    """Kill what still runs of the recorded groups. Returns how many there were."""
    try:
        recorded = {int(pid): str(start) for pid, start in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return 0
    started, groups = _start_times(), _groups()
    # A group that has lost its leader keeps its id, which no new process can have as long as one of its members lives.
    ours = {pid for pid, start in recorded.items() if pid in groups and started.get(pid, start) == start}
    for pid in ours:
        kill_group(pid)
    ends = time.monotonic() + _SECONDS_TO_DIE
    while ours & _groups() and time.monotonic() < ends:
        time.sleep(0.02)
    with suppress(FileNotFoundError):
        file.unlink()
    return len(ours)


def _start_times() -> dict[int, str]:
    """When each process started, to the second."""
    return {int(pid): start.strip() for pid, _, start in (line.partition(" ") for line in _ps("pid=,lstart="))}


def _groups() -> set[int]:
    """The ids of all process groups, without those whose members have all ended."""
    columns = (line.split() for line in _ps("pgid=,stat="))
    return {int(group) for group, state in columns if not state.startswith("Z")}


def _ps(columns: str) -> list[str]:
    """Columns of all processes; none where there is no `ps`, as in small containers, which end all of theirs."""
    command = ["ps", "-A", "-o", columns]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    except FileNotFoundError:
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
