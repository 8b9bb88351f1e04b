"""Threads that work through things and give what they make of them in order."""

import ctypes
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Self, TypeVar

Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")

_MOST_AT_ONCE = 16
# Options of glibc's malloc.h: at most two heaps; arrays come from them and stay with them, up to these bytes.
_HEAP_OPTIONS = {-8: 2, -3: 32 << 20, -2: 16 << 20, -1: 128 << 20}


@cache
def _keep_heaps_warm() -> None:
    """As it is, glibc gives each thread a heap, and gives large arrays back only to ask for new pages at once."""
    with suppress(AttributeError):  # other libraries have no such heaps
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in _HEAP_OPTIONS.items():
            mallopt(option, value)


def side_by_side(work: Callable[[Thing], Outcome], things: Iterable[Thing]) -> list[Outcome]:
    """What `work` makes of each thing, in order, all at once: for work that waits for hosts."""
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        return list(pool.map(work, things))


class Crew:
    """`size` threads, each of which does `begin` before all else where it is given.

    Used as a context manager: on the way out nothing new is begun, and what is under way is waited for.
    """

    def __init__(self, size: int, begin: Callable[[], object] | None = None) -> None:
        _keep_heaps_warm()
        self.size = size
        self._pool = ThreadPoolExecutor(size, initializer=begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def each(
        self, work: Callable[[Thing], Outcome], things: Iterable[Thing], ahead: int | None = None
    ) -> Iterator[Outcome]:
        """What `work` makes of each thing, in order.

        No more than `ahead` are under way or wait to be taken; without it, as many as keep the threads busy.
        """
        most = self.size + 1 if ahead is None else ahead
        under_way: deque[Future[Outcome]] = deque()
        for thing in things:
            under_way.append(self._pool.submit(work, thing))
            if len(under_way) > most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
