"""The shared blocks of a raster and several threads: each block is read by one of them for all."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from processing.raster.reading.blocks import shared_blocks
from processing.raster.types import PixelArray
from tests.raster.reading.counting_file import CountingFile, Part, part, shared

PATIENCE = 20  # seconds; a thread that waits longer has failed


class Broken(Exception):
    pass


class NotedFuture(Future[PixelArray]):
    """Releases `waiting` if a thread asks for its result before it is there."""

    waiting: threading.Semaphore

    def result(self, timeout: float | None = None) -> PixelArray:
        if not self.done():
            self.waiting.release()
        return super().result(PATIENCE)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Is released once for every thread that waits for a block."""
    monkeypatch.setattr(NotedFuture, "waiting", threading.Semaphore(0), raising=False)
    monkeypatch.setattr(shared_blocks, "Future", NotedFuture)
    return NotedFuture.waiting


def until_others_wait(waiting: threading.Semaphore, others: int) -> None:
    for _ in range(others):
        assert waiting.acquire(timeout=PATIENCE), "a thread did not wait for the block that another reads"


def at_once(file: CountingFile, asked: Sequence[Part]) -> list[Future[PixelArray]]:
    """These parts, each read by a thread of its own at the same time."""
    read = shared(file)
    with ThreadPoolExecutor(len(asked)) as pool:
        return [pool.submit(read, each) for each in asked]


def test_block_that_several_threads_want_at_once_is_read_by_one_of_them(waiting: threading.Semaphore) -> None:
    file = CountingFile((8, 8), (8, 8), lambda _: until_others_wait(waiting, 3))
    asked = [part(0, 4, 0, 4), part(0, 4, 4, 8), part(4, 8, 0, 4), part(4, 8, 4, 8)]
    for each, outcome in zip(asked, at_once(file, asked), strict=True):
        np.testing.assert_array_equal(outcome.result(), file.pixels[each])
    assert file.reads == [part(0, 8, 0, 8)]


def test_blocks_that_differ_are_read_side_by_side() -> None:
    together = threading.Barrier(3)
    file = CountingFile((4, 12), (4, 4), lambda _: assert_passes(together))
    asked = [part(0, 2, left, left + 4) for left in (0, 4, 8)]
    for each, outcome in zip(asked, at_once(file, asked), strict=True):
        np.testing.assert_array_equal(outcome.result(), file.pixels[each])


def assert_passes(barrier: threading.Barrier) -> None:
    assert barrier.wait(PATIENCE) >= 0


def test_threads_in_any_order_read_the_dn_of_the_file() -> None:
    file = CountingFile((60, 50), (16, 7))
    random = np.random.default_rng(3)
    corners = [
        sorted(random.choice(61, 2, replace=False)) + sorted(random.choice(51, 2, replace=False)) for _ in range(300)
    ]
    asked = [part(*(int(side) for side in corner)) for corner in corners]
    read = shared(file)
    with ThreadPoolExecutor(8) as pool:
        for each, dn in zip(asked, pool.map(read, asked), strict=True):
            np.testing.assert_array_equal(dn, file.pixels[each])


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
def test_error_of_a_block_reaches_all_that_wait_for_it(
    waiting: threading.Semaphore, error: type[BaseException]
) -> None:
    def fail(_: Part) -> None:
        until_others_wait(waiting, 2)
        raise error

    file = CountingFile((8, 8), (8, 8), fail)
    outcomes = at_once(file, [part(0, 4, 0, 8), part(4, 8, 0, 8), part(1, 7, 1, 7)])
    assert [type(outcome.exception()) for outcome in outcomes] == [error] * 3
    assert len(file.reads) == 1


def test_block_that_failed_stays_failed_and_the_others_are_read() -> None:
    """A job gives up at the first error, so no second try is needed, and all threads see the same."""

    def fail(asked: Part) -> None:
        if asked[1].start == 0:
            raise Broken

    file = CountingFile((4, 8), (4, 4), fail)
    read = shared(file)
    for _ in range(2):
        with pytest.raises(Broken):
            read(part(0, 4, 1, 3))
    np.testing.assert_array_equal(read(part(0, 4, 5, 7)), file.pixels[:, 5:7])
    assert file.times_read == {(0, 0): 1, (0, 4): 1}


def test_blocks_that_were_to_be_read_after_one_that_failed_fail_for_all(waiting: threading.Semaphore) -> None:
    outcomes: list[Future[PixelArray]] = []

    def fail(asked: Part) -> None:
        if asked[1].start == 0:
            outcomes.append(pool.submit(read, part(1, 2, 9, 10)))
            until_others_wait(waiting, 1)
            raise Broken

    file = CountingFile((4, 12), (4, 4), fail)
    read = shared(file)
    read(part(1, 2, 5, 6))
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(Broken):
            read(part(1, 2, 1, 11))
        assert [type(outcome.exception(PATIENCE)) for outcome in outcomes] == [Broken]


def test_threads_that_each_wait_for_a_block_of_the_other_both_end() -> None:
    together = threading.Barrier(2)

    def meet(asked: Part) -> None:
        if asked[1].start != 4:  # what each of them begins with
            assert_passes(together)

    file = CountingFile((8, 12), (4, 4), meet)
    asked = [part(1, 2, 1, 6), part(1, 2, 7, 11)]
    for each, outcome in zip(asked, at_once(file, asked), strict=True):
        np.testing.assert_array_equal(outcome.result(PATIENCE), file.pixels[each])
