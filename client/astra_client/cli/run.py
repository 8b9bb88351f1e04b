"""From arguments to an exit code that scripts can trust."""

import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click

from ..errors import ApiError, AstraError, CannotWrite, CorruptDownload, JobFailed, Unreachable
from .commands import astra
from .terminal import Terminal, complain

DONE, JOB_FAILED, REFUSED, UNREACHABLE, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


def main() -> NoReturn:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, _terminate)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("astra_client").setLevel(logging.INFO)  # requests that are tried again, and why
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; what went wrong is said on stderr."""
    terminal = Terminal()
    try:
        returned = astra.main(list(arguments), prog_name="astra", standalone_mode=False, obj=terminal)
    except click.ClickException as wrong:
        wrong.show()
        return REFUSED
    except click.Abort:
        complain("Interrupted.", terminal.left_behind)
        return INTERRUPTED
    except AstraError as error:
        with suppress(CannotWrite):
            terminal.show_error(error)
        return exit_code(error)
    return returned if isinstance(returned, int) else DONE  # of --help, for one, it is the code


def exit_code(error: AstraError) -> int:
    """1 for a job that failed, 3 for what may pass another time, 2 for what the caller has to change."""
    if isinstance(error, JobFailed):
        return JOB_FAILED
    if isinstance(error, ApiError):
        return UNREACHABLE if error.status == 429 or error.status >= 500 else REFUSED
    return UNREACHABLE if isinstance(error, Unreachable | CorruptDownload) else REFUSED


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leave through every `finally`, so that no partial file stays."""
    raise SystemExit(TERMINATED)
