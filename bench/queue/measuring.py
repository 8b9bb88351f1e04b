"""How long one step takes, and how many statements of SQL."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

_TIMES = 20
_TRANSACTIONS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Of 20 times the median and the slowest, in milliseconds; statements without those of transactions."""

    milliseconds: float
    slowest: float
    statements: int

    @property
    def cells(self) -> list[str]:
        return [f"{self.milliseconds:.1f}", f"{self.slowest:.1f}", str(self.statements)]


def measure(step: Callable[[], Any]) -> Measured:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    step()  # what only the first one does: caches, statistics
    seconds = [_seconds(step) for _ in range(_TIMES)]
    with CaptureQueriesContext(connection) as captured:
        step()
    statements = [query for query in captured if not query["sql"].startswith(_TRANSACTIONS)]
    return Measured(milliseconds=1000 * median(seconds), slowest=1000 * max(seconds), statements=len(statements))


def _seconds(step: Callable[[], Any]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began
