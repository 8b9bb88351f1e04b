"""Buckets in the memory of this process, for while the broker is away."""

import threading
import time
from dataclasses import dataclass

from .rate import DAY, Allowance, Rate

# There is one for each caller and each address of wrong keys, of which there may be many.
_MOST = 10_000


@dataclass
class _Bucket:
    full_at: int = 0
    day: int = 0
    used: int = 0


class LocalBuckets:
    """The same maths as `shared`."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, name: str, rate: Rate) -> Allowance:
        with self._lock:
            if name not in self._buckets and len(self._buckets) >= _MOST:
                self._buckets.clear()
            return _take(self._buckets.setdefault(name, _Bucket()), rate, time.time_ns() // 1000)

    def forget(self, name: str) -> None:
        with self._lock:
            self._buckets.pop(name, None)

    def forget_all(self) -> None:
        with self._lock:
            self._buckets.clear()


def _take(bucket: _Bucket, rate: Rate, now: int) -> Allowance:
    day, depth = now // DAY, rate.burst * rate.refill
    used = bucket.used if bucket.day == day else 0
    full_at = min(max(bucket.full_at, now), now + depth)
    is_spent = 0 < rate.per_day <= used
    wait = (day + 1) * DAY - now if is_spent else max(0, full_at + rate.refill - depth - now)
    if wait == 0:
        full_at, used = full_at + rate.refill, used + 1
        bucket.full_at, bucket.day, bucket.used = full_at, day, used
    left = rate.per_day - used if rate.per_day else -1
    remaining = (now + depth - full_at) // rate.refill
    return Allowance(
        wait=wait,
        remaining=remaining if left < 0 else min(remaining, left),
        remaining_today=left,
        full_at=max(full_at, (day + 1) * DAY) if left == 0 else full_at,
    )
