"""What each key does, counted without writing a row at every request.

The counts of all processes are kept in the broker, and become rows every minute, and whenever somebody asks for them.
While the broker is away each process keeps its own, and writes them itself as often.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import DatabaseError

from astra.broker import ask, soon

from .models import KeyUsage

logger = logging.getLogger(__name__)

PLACE = "astra:usage"  # a hash in the broker: "<key>:<day since 1970>:<what>" -> how many
_SECONDS_BETWEEN_WRITES = 60
_FIRST_DAY = date(1970, 1, 1)
_TAKE = "local counts = redis.call('HGETALL', KEYS[1]); redis.call('DEL', KEYS[1]); return counts"

_lock = threading.Lock()
_remembered: Counter[str] = Counter()
_next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES


def count(key_id: int, **what: int) -> None:
    """Add to today's counts: requests, errors, jobs, pixels."""
    _remember(_fields(key_id, what))
    soon(_pass_on)


def remember(key_id: int, **what: int) -> None:
    """As `count`, if the broker is known to be away. Once a minute all that was remembered becomes rows."""
    _remember(_fields(key_id, what))
    if _is_time_to_write():
        try:
            write_rows()
        except DatabaseError:
            logger.warning("usage is written later, as the database is away", exc_info=True)


def write_rows() -> None:
    """Move all that was counted into rows. Raises DatabaseError; then the counts are kept."""
    fields = _take_remembered()
    fields.update(ask(_take) or {})
    if not fields:
        return
    try:
        KeyUsage.objects.add(_by_key_and_day(fields))
    except DatabaseError:
        _remember(fields)
        _pass_on()
        raise


def forget() -> None:
    """Drop what this process has counted."""
    global _next_write
    _take_remembered()
    _next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES


def _fields(key_id: int, what: Mapping[str, int]) -> dict[str, int]:
    today = (datetime.now(UTC).date() - _FIRST_DAY).days
    return {f"{key_id}:{today}:{name}": number for name, number in what.items() if number}


def _remember(fields: Mapping[str, int]) -> None:
    with _lock:
        _remembered.update(fields)


def _pass_on() -> None:
    """Give what this process remembers to the broker, if that is there."""
    fields = _take_remembered()
    if fields and ask(lambda server: _add(server, fields)) is None:
        _remember(fields)


def _is_time_to_write() -> bool:
    global _next_write
    with _lock:
        is_time = time.monotonic() >= _next_write
        if is_time:
            _next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES
    return is_time


def _take_remembered() -> Counter[str]:
    with _lock:
        taken = Counter(_remembered)
        _remembered.clear()
    return taken


def _add(server: Any, fields: Mapping[str, int]) -> bool:
    pipeline = server.pipeline(transaction=True)
    for field, number in fields.items():
        pipeline.hincrby(PLACE, field, number)
    pipeline.execute()
    return True


def _take(server: Any) -> dict[str, int]:
    counts = [part.decode() for part in server.eval(_TAKE, 1, PLACE)]
    return dict(zip(counts[::2], map(int, counts[1::2]), strict=True))


def _by_key_and_day(fields: Mapping[str, int]) -> dict[tuple[int, date], dict[str, int]]:
    counts: dict[tuple[int, date], dict[str, int]] = {}
    for field, number in fields.items():
        key_id, day, name = field.split(":")
        counts.setdefault((int(key_id), _FIRST_DAY + timedelta(days=int(day))), {})[name] = number
    return counts
