"""A small memory of recent answers, so that a host is not asked the same again and again."""

import threading
import time
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """At most `most` values by key, each kept for `seconds`. Safe to use from several threads."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[str, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept[1] if kept and time.monotonic() - kept[0] < self._seconds else None

    def put(self, key: str, value: Value) -> None:
        with self._lock:
            self._kept[key] = (time.monotonic(), value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def drop(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)
