"""Stops the children of a supervisor that was killed.

Runs as a process of its own, and is told how many seconds the children have to stop. Reads `+pid` and `-pid` lines from
its input, one for each child that starts and ends. When the input ends, the supervisor is gone: every remaining child
is ended with its whole process group.
"""

import os
import signal
import sys
import time
from contextlib import suppress


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    children: set[int] = set()
    for line in sys.stdin:
        change = children.add if line.startswith("+") else children.discard
        change(int(line[1:]))
    end_groups(children, float(sys.argv[1]))


def end_groups(leaders: set[int], grace: float) -> None:
    """Ask each leader to stop, wait a little, then kill the rest of its group."""
    for pid in leaders:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(_is_alive(pid) for pid in leaders):
        time.sleep(0.05)
    for pid in leaders:
        kill_group(pid)


def kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
