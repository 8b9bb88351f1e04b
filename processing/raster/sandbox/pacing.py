"""Work that takes its time on purpose."""

import time

from ..types import Tick

_SECONDS_BETWEEN_TICKS = 0.5


def paced(tick: Tick, seconds: float, whole: float) -> Tick:
    """`tick`, but so slow that the shares up to `whole` take so many seconds, in small steps."""
    last = 0.0

    def slow_tick(share: float) -> None:
        nonlocal last
        steps = max(1, round((share - last) / whole * seconds / _SECONDS_BETWEEN_TICKS)) if seconds else 1
        for step in range(1, steps + 1):
            if steps > 1:
                time.sleep(_SECONDS_BETWEEN_TICKS)
            tick(last + (share - last) * step / steps)
        last = share

    return slow_tick
