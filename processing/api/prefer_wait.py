"""`Prefer: wait=N` (RFC 7240): a submit that is answered once its job has ended, or after N seconds."""

import re
import time
from urllib.request import parse_http_list

from django.db import InterfaceError, OperationalError, connection

from astra.web import stopping

from ..models import Job
from .places import ENDS_OF_JOBS

_LONGEST_WAIT = 30
_LOOK_EVERY = 0.2
# What the parameters of a preference say does not matter here.
_PREFERENCE = re.compile(r'(?P<name>[^\s=;]+)\s*(=\s*("(?P<quoted>[^"]*)"|(?P<bare>[^\s;]*)))?\s*(;.*)?', re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,2}")


def preferred_wait(header: str) -> int | None:
    """The seconds, 1 to 30. None if the caller names none, or anything else: then the preference is ignored.

    If it is named twice, the first one counts.
    """
    for text in parse_http_list(header):
        match = _PREFERENCE.fullmatch(text.strip())
        if match and match["name"].lower() == "wait":
            return _seconds(match["quoted"] or match["bare"] or "")
    return None


def _seconds(text: str) -> int | None:
    seconds = int(text) if _SECONDS.fullmatch(text) else 0
    return seconds if 1 <= seconds <= _LONGEST_WAIT else None


def wait_for_end(job: Job, seconds: float) -> bool:
    """Wait until the job ends, for so long at most, and read its row again.

    False, and at once, if too many wait already. When the process is stopped, the wait ends early.
    """
    if job.is_finished:
        return True
    with ENDS_OF_JOBS.one() as is_free:
        if not is_free:
            return False
        ends = time.monotonic() + seconds
        while not job.is_finished and (left := ends - time.monotonic()) > 0:
            if stopping.wait(min(_LOOK_EVERY, left)):
                break
            _read_again(job)
        return True


def _read_again(job: Job) -> None:
    """While the database is away the job stays as it was: its caller must learn its id in any case."""
    try:
        job.refresh_from_db()
    except (OperationalError, InterfaceError):
        connection.close()
