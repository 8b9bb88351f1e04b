"""Stops the children of a supervisor that was killed.

Runs as a process of its own. Reads `+pid` and `-pid` lines from its input, one for each child that starts and ends.
When the input ends, the supervisor is gone: every remaining child is killed with its whole process group, at once,
because the next supervisor needs their place. What they were working on goes back when its workers start.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    children: set[int] = set()
    for line in sys.stdin:
        change = children.add if line.startswith("+") else children.discard
        change(int(line[1:]))
    for pid in children:
        kill_group(pid)


def kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
