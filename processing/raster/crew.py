"""A few threads that work through things in order, each with tools of its own."""

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Generic, Self, TypeVar

Tools = TypeVar("Tools")
Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")


_MOST_AT_ONCE = 16
_M_ARENA_MAX = -8  # of glibc's malloc.h
_HEAPS = 2


@cache
def _share_heaps() -> None:
    """glibc gives threads heaps of their own, and each keeps what large arrays leave behind."""
    with suppress(AttributeError):  # other libraries have no such heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)


def side_by_side(work: Callable[[Thing], Outcome], things: Iterable[Thing]) -> list[Outcome]:
    """What `work` makes of each thing, in order, all at once: for work that waits for hosts."""
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        return list(pool.map(work, things))


class Crew(Generic[Tools]):
    """`size` threads. Each makes its tools when it first works, because open rasters must not be shared.

    Used as a context manager: on the way out nothing new is begun, and what is under way is waited for.
    """

    def __init__(self, size: int, make_tools: Callable[[], Tools]) -> None:
        _share_heaps()
        self.size = size
        self._make_tools = make_tools
        self._pool = ThreadPoolExecutor(size)
        self._local = threading.local()
        self._lock = threading.Lock()
        self.tools: list[Tools] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def each(
        self, work: Callable[[Tools, Thing], Outcome], things: Iterable[Thing], ahead: int | None = None
    ) -> Iterator[Outcome]:
        """What `work` makes of each thing, in order.

        No more than `ahead` are under way or wait to be taken; without it, as many as keep the threads busy.
        """
        most = self.size + 1 if ahead is None else ahead
        under_way: deque[Future[Outcome]] = deque()
        for thing in things:
            under_way.append(self._pool.submit(self._work, work, thing))
            if len(under_way) > most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _work(self, work: Callable[[Tools, Thing], Outcome], thing: Thing) -> Outcome:
        if not hasattr(self._local, "tools"):
            self._local.tools = self._make_tools()
            with self._lock:
                self.tools.append(self._local.tools)
        return work(self._local.tools, thing)
