"""Threads that work side by side and return what they make in order."""

import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")

_MOST_AT_ONCE = 16
# Options of glibc's mallopt(3), by their numbers in malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_HEAP_OPTIONS = {
    _M_ARENA_MAX: 2,
    _M_MMAP_THRESHOLD: 32 << 20,
    _M_TOP_PAD: 16 << 20,
    _M_TRIM_THRESHOLD: 128 << 20,
}


def keep_heaps_warm() -> None:
    """Share two heaps and keep freed arrays. By default glibc returns them to the kernel and faults them in again.

    Holds for the whole process: call it once, at its start. Does nothing with another C library.
    """
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in _HEAP_OPTIONS.items():
            mallopt(option, value)


class _Threads(ThreadPoolExecutor):
    """Knows what is under way."""

    def __init__(self, size: int, begin: Callable[[], object] | None) -> None:
        super().__init__(size, initializer=begin)
        self.under_way: set[Future[Any]] = set()

    def submit(self, *work: Any, **options: Any) -> Future[Any]:
        future = super().submit(*work, **options)
        self.under_way.add(future)
        future.add_done_callback(self.under_way.discard)
        return future


# By their number and what they begin with.
_idle: dict[tuple[int, Callable[[], object] | None], list[_Threads]] = {}
os.register_at_fork(after_in_child=_idle.clear)  # threads stay behind


@contextmanager
def kept_threads(size: int, begin: Callable[[], object] | None = None) -> Iterator[ThreadPoolExecutor]:
    """Up to `size` threads, each of which calls `begin` first if it is given.

    They are kept for the next job: GDAL and PROJ set themselves up once for each thread, which takes longer than a
    small window does. On the way out no new work begins, and work under way is waited for. After an error they end.
    """
    idle = _idle.setdefault((size, begin), [])
    try:
        threads = idle.pop()
    except IndexError:
        threads = _Threads(size, begin)
    try:
        yield threads
        for future in list(threads.under_way):
            future.cancel()
        wait(list(threads.under_way))
    except BaseException:
        threads.shutdown(wait=True, cancel_futures=True)
        raise
    idle.append(threads)


def side_by_side(work: Callable[[Thing], Outcome], things: Iterable[Thing]) -> list[Outcome]:
    """What `work` returns for each thing, in order. All run at once, as the work waits for hosts."""
    all_things = list(things)
    if len(all_things) < 2:
        return [work(thing) for thing in all_things]
    with kept_threads(_MOST_AT_ONCE) as pool:
        return list(pool.map(work, all_things))


@contextmanager
def failing_together(promises: Iterable[Future[Any]]) -> Iterator[None]:
    """Pass an error in the block on to all threads that wait for one of the promises not kept yet."""
    try:
        yield
    except BaseException as error:
        for promise in promises:
            if not promise.done():
                promise.set_exception(error)
        raise


@contextmanager
def in_background(work: Callable[[], Outcome]) -> Iterator[Future[Outcome]]:
    """Do the work in a thread of its own meanwhile. On the way out it is waited for."""
    with kept_threads(1) as pool:
        future = pool.submit(work)
        try:
            yield future
        finally:
            wait([future])


class Crew:
    """`size` threads, each of which calls `begin` first if it is given.

    Used as a context manager: on the way out no new work begins, and work under way is waited for.
    """

    def __init__(self, size: int, begin: Callable[[], object] | None = None) -> None:
        self.size = size
        self._lent = kept_threads(size, begin)

    def __enter__(self) -> Self:
        self._pool = self._lent.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lent.__exit__(kind, error, traceback)

    def each(
        self, work: Callable[[Thing], Outcome], things: Iterable[Thing], ahead: int | None = None
    ) -> Iterator[Outcome]:
        """Yield what `work` returns for each thing, in order.

        At most `ahead` things are under way or done and not yet taken. By default just enough to keep all threads busy.
        """
        most = self.size + 1 if ahead is None else ahead
        under_way: deque[Future[Outcome]] = deque()
        for thing in things:
            under_way.append(self._pool.submit(work, thing))
            if len(under_way) > most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
