"""How often something may be done, and what is left of it."""

import math
from dataclasses import dataclass

DAY = 86_400 * 10**6  # microseconds


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`burst` at once, and in the long run so many a minute; never more than `per_day` on a day (UTC), if that is set.

    The bucket is kept as the time at which it will be full again (GCRA: ITU-T I.371, the virtual scheduling algorithm).
    """

    per_minute: int
    burst: int
    per_day: int = 0

    @property
    def refill(self) -> int:
        """Microseconds in which one comes back, rounded up so that never more are let through."""
        return -(-60 * 10**6 // self.per_minute)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """The answer to one who asked. Times are microseconds: `full_at` since 1970, `wait` from now (0: admitted)."""

    wait: int
    remaining: int
    remaining_today: int
    full_at: int

    @property
    def is_admitted(self) -> bool:
        return self.wait == 0

    @property
    def reset_at(self) -> int:
        """When the bucket is full, in Unix seconds; after a day's last request, the next day."""
        return math.ceil(self.full_at / 10**6)

    @property
    def retry_after(self) -> int:
        """Whole seconds, 1 or more."""
        return max(1, math.ceil(self.wait / 10**6))
