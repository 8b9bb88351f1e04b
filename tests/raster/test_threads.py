"""A few threads: outcomes in order, not too far ahead, each thread begun once, and no error lost."""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.thread import BrokenThreadPool

import pytest

from processing.raster.threads import Crew, failing_together, side_by_side

PATIENCE = 20  # seconds; a thread that waits longer has failed


class Broken(Exception):
    pass


def nothing() -> None:
    return None


def test_outcomes_are_in_the_order_of_things_whichever_ends_first() -> None:
    second_is_done = threading.Event()

    def work(thing: int) -> int:
        if thing == 0:
            assert second_is_done.wait(PATIENCE)
        elif thing == 1:
            second_is_done.set()
        return thing * 10

    with Crew(2, nothing) as crew:
        assert list(crew.each(work, range(30))) == [thing * 10 for thing in range(30)]


def test_no_things_have_no_outcomes_and_begin_no_thread() -> None:
    begun: list[int] = []
    with Crew(3, lambda: begun.append(threading.get_ident())) as crew:
        assert list(crew.each(lambda thing: thing, [])) == []
    assert begun == []


@pytest.mark.parametrize("size", [1, 2, 5])
def test_only_as_many_are_begun_as_keep_the_threads_busy(size: int) -> None:
    drawn = 0

    def things() -> Iterator[int]:
        nonlocal drawn
        for thing in range(100):
            drawn += 1
            yield thing

    with Crew(size, nothing) as crew:
        for done, _ in enumerate(crew.each(lambda thing: thing, things()), start=1):
            assert min(100, done + size) <= drawn <= done + size + 1


def test_things_are_begun_side_by_side() -> None:
    together = threading.Barrier(3)
    with Crew(3, nothing) as crew:
        places = list(crew.each(lambda thing: together.wait(PATIENCE), range(9)))
    assert sorted(places) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_each_thread_begins_once_before_it_works() -> None:
    size = 3
    together = threading.Barrier(size)  # so that no thread does the work of another
    begun: list[int] = []

    def work(_: int) -> int:
        together.wait(PATIENCE)
        assert threading.get_ident() in begun
        return threading.get_ident()

    with Crew(size, lambda: begun.append(threading.get_ident())) as crew:
        threads = [*crew.each(work, range(4 * size)), *crew.each(work, range(4 * size))]
    assert len(begun) == size
    assert set(threads) == set(begun)


@pytest.mark.parametrize("size", [1, 3])
def test_error_reaches_the_caller_and_the_rest_is_not_begun(size: int) -> None:
    begun = []

    def work(thing: int) -> int:
        begun.append(thing)
        if thing == 4:
            raise Broken
        return thing

    given: list[int] = []
    with pytest.raises(Broken), Crew(size, nothing) as crew:
        given.extend(crew.each(work, itertools.count()))
    assert given == [0, 1, 2, 3]
    assert 4 in begun
    assert max(begun) <= 4 + size + 1


def test_on_the_way_out_nothing_more_begins_and_work_under_way_is_waited_for() -> None:
    is_begun, leaving = threading.Event(), threading.Event()
    begun: list[int] = []
    ended: list[int] = []

    def work(thing: int) -> None:
        begun.append(thing)
        if thing == 1:
            is_begun.set()
            assert leaving.wait(PATIENCE)
        ended.append(thing)

    def leave() -> None:
        with Crew(1, nothing) as crew:
            next(crew.each(work, itertools.count()))
            assert is_begun.wait(PATIENCE)
            leaving.set()
            raise Broken

    with pytest.raises(Broken):
        leave()
    assert begun == ended
    assert len(begun) <= 4  # the first two, and those that were taken already


def test_error_in_the_things_themselves_reaches_the_caller() -> None:
    def things() -> Iterator[int]:
        yield 1
        raise Broken

    with Crew(2, nothing) as crew, pytest.raises(Broken):
        list(crew.each(lambda thing: thing, things()))


def test_thread_that_cannot_begin_ends_the_work() -> None:
    def begin() -> None:
        raise Broken

    with Crew(2, begin) as crew, pytest.raises(BrokenThreadPool):
        list(crew.each(lambda thing: thing, range(5)))


def test_crews_may_feed_each_other() -> None:
    with Crew(2, nothing) as readers, Crew(3, nothing) as writers:
        read = readers.each(lambda thing: thing + 1, range(50))
        assert list(writers.each(lambda thing: thing * 2, read)) == [2 * (thing + 1) for thing in range(50)]


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_outcomes_side_by_side_are_in_the_order_of_things(count: int) -> None:
    assert side_by_side(lambda thing: thing * 10, iter(range(count))) == [thing * 10 for thing in range(count)]


def test_outcomes_side_by_side_are_in_order_whichever_ends_first() -> None:
    last_is_done = threading.Event()

    def work(thing: int) -> int:
        if thing == 3:
            last_is_done.set()
        else:
            assert last_is_done.wait(PATIENCE)
        return thing

    assert side_by_side(work, range(4)) == [0, 1, 2, 3]


def test_things_side_by_side_are_worked_on_at_once() -> None:
    together = threading.Barrier(8)
    assert sorted(side_by_side(lambda thing: together.wait(PATIENCE), range(8))) == list(range(8))


def test_error_side_by_side_is_raised_once_all_that_began_have_ended() -> None:
    all_begun, failed, ended = threading.Barrier(3), threading.Event(), []

    def work(thing: int) -> None:
        all_begun.wait(PATIENCE)
        if thing == 0:
            failed.set()
            raise Broken
        assert failed.wait(PATIENCE)
        ended.append(thing)

    with pytest.raises(Broken):
        side_by_side(work, range(3))
    assert sorted(ended) == [1, 2]


def test_error_side_by_side_is_that_of_the_first_thing_whichever_failed_first() -> None:
    second_failed = threading.Event()

    def work(thing: str) -> None:
        if thing == "second":
            second_failed.set()
        else:
            assert second_failed.wait(PATIENCE)
        raise Broken(thing)

    with pytest.raises(Broken, match="first"):
        side_by_side(work, ["first", "second"])


def test_error_reaches_all_that_wait_for_an_open_promise() -> None:
    kept, broken = Future[int](), Future[int]()

    def keep_one() -> None:
        with failing_together([kept, broken]):
            kept.set_result(1)
            raise Broken

    with pytest.raises(Broken):
        keep_one()
    assert kept.result(timeout=0) == 1
    with pytest.raises(Broken):
        broken.result(timeout=0)
