"""The shared blocks of a raster: the file's numbers whatever is asked for, each block read once, and bounded memory."""

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster import blocks
from processing.raster.blocks import SharedBlocks
from processing.raster.reading import RasterFile
from processing.raster.types import Config, PixelArray
from tests.raster.rasters import band, grid, write_tif

Part = tuple[slice, slice]  # rows, columns
Shape = tuple[int, int]
PATIENCE = 20  # seconds after which a thread that should have gone on is given up


class Broken(Exception):
    pass


class CountingFile:
    """Stands in for an open raster. `reads` holds what was asked of it; `before_read` is called with it first."""

    def __init__(
        self, shape: Shape, block_shape: Shape, before_read: Callable[[Part], None] = lambda part: None
    ) -> None:
        self.pixels = np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint16).reshape(shape)
        self.grid, self.block_shape, self.dtype = grid(shape[1], shape[0]), block_shape, self.pixels.dtype
        self.before_read = before_read
        self.reads: list[Part] = []
        self.given: list[weakref.ref[PixelArray]] = []

    def numbers(self, rows: slice, columns: slice) -> PixelArray:
        self.reads.append((rows, columns))
        self.before_read((rows, columns))
        numbers = self.pixels[rows, columns].copy()
        self.given.append(weakref.ref(numbers))
        return numbers

    @property
    def times_read(self) -> Counter[Shape]:
        """How often each block was read, by its first row and column."""
        return Counter((rows.start, columns.start) for rows, columns in self.reads)

    @property
    def kept(self) -> int:
        """Arrays that it gave and that somebody still holds."""
        return sum(numbers() is not None for numbers in self.given)


def shared(file: CountingFile) -> Callable[[Part], PixelArray]:
    """Reads parts of the file by its shared blocks."""
    held: Any = SharedBlocks(file)  # type: ignore[arg-type]
    return lambda part: held.numbers(file, *part)


def part(top: int, bottom: int, left: int, right: int) -> Part:
    return slice(top, bottom), slice(left, right)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """The shapes of a raster and of its blocks: tiles of any sides, strips, one block that is all or more."""
    rows, columns = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    block = draw(st.sampled_from([(height, width), (height, columns), (rows, columns), (rows + 5, columns + 3)]))
    return (rows, columns), block


@st.composite
def parts_of(draw: st.DrawFn, shape: Shape) -> Part:
    top, left = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
    return part(top, draw(st.integers(top + 1, shape[0])), left, draw(st.integers(left + 1, shape[1])))


@given(layouts(), st.data())
def test_any_parts_in_any_order_are_the_files_numbers(layout: tuple[Shape, Shape], data: st.DataObject) -> None:
    file = CountingFile(*layout)
    read = shared(file)
    for asked in data.draw(st.lists(parts_of(layout[0]), min_size=1, max_size=12)):
        np.testing.assert_array_equal(read(asked), file.pixels[asked])


@given(layouts(), st.data())
def test_file_is_asked_for_whole_blocks_only(layout: tuple[Shape, Shape], data: st.DataObject) -> None:
    file = CountingFile(*layout)
    read = shared(file)
    for asked in data.draw(st.lists(parts_of(layout[0]), min_size=1, max_size=12)):
        read(asked)
    for asked in file.reads:
        for side, block, size in zip(asked, layout[1], layout[0], strict=True):
            assert side.start % block == 0
            assert side.stop == size or (side.stop % block == 0 and side.stop < size)


@given(layouts(), st.integers(1, 12), st.tuples(st.integers(0, 11), st.integers(0, 11)))
def test_windows_row_by_row_read_each_block_once(
    layout: tuple[Shape, Shape], window: int, shift: tuple[int, int]
) -> None:
    """`shift` is how far the first window hangs over the raster's corner, as on the grid of another scene."""
    (rows, columns), _ = layout
    file = CountingFile(*layout)
    read = shared(file)
    for top in range(-shift[0], rows, window):
        for left in range(-shift[1], columns, window):
            asked = part(max(top, 0), min(top + window, rows), max(left, 0), min(left + window, columns))
            if all(side.start < side.stop for side in asked):
                read(asked)
    covered = np.zeros((rows, columns), int)
    for place in file.reads:
        covered[place] += 1
    assert (covered == 1).all()


@given(st.tuples(*[st.permutations(range(5))] * 3))
def test_windows_of_a_row_may_come_in_any_order(orders: tuple[list[int], ...]) -> None:
    file = CountingFile((18, 25), (8, 4))
    read = shared(file)
    for row, order in enumerate(orders):
        for column in order:
            read(part(6 * row, 6 * row + 6, 5 * column, 5 * column + 5))
    assert set(file.times_read.values()) == {1}


@pytest.mark.parametrize(
    "whole", [part(0, 4, 0, 4), part(4, 8, 0, 8), part(8, 10, 8, 11), part(0, 10, 4, 11), part(0, 10, 0, 11)]
)
def test_whole_blocks_are_read_straight_and_not_kept(whole: Part) -> None:
    file = CountingFile((10, 11), (4, 4))
    numbers = shared(file)(whole)
    assert file.reads == [whole]
    assert file.kept == 1
    np.testing.assert_array_equal(numbers, file.pixels[whole])
    del numbers
    assert file.kept == 0


def test_block_that_is_not_kept_is_read_again() -> None:
    file = CountingFile((8, 8), (4, 4))
    read = shared(file)
    read(part(0, 4, 0, 4))
    read(part(1, 2, 1, 2))
    read(part(2, 3, 2, 3))
    assert file.times_read == {(0, 0): 2}


def test_what_is_given_can_be_written_to_without_harm_to_the_next() -> None:
    file = CountingFile((8, 8), (4, 4))
    read = shared(file)
    read(part(1, 7, 1, 7))[:] = 0
    np.testing.assert_array_equal(read(part(1, 7, 1, 7)), file.pixels[1:7, 1:7])


@given(layouts(), st.integers(1, 2000), st.data())
def test_never_more_is_kept_than_the_bound(layout: tuple[Shape, Shape], bound: int, data: st.DataObject) -> None:
    file = CountingFile(*layout)
    block_bytes = layout[1][0] * layout[1][1] * file.dtype.itemsize
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_MOST_BYTES", bound)
        read = shared(file)
        for asked in data.draw(st.lists(parts_of(layout[0]), min_size=1, max_size=12)):
            np.testing.assert_array_equal(read(asked), file.pixels[asked])
            assert file.kept <= max(1, bound // block_bytes)


@pytest.mark.parametrize("height", [1, 2, 5])
def test_no_more_is_kept_than_the_rows_of_blocks_that_a_window_touches_and_one(height: int) -> None:
    file = CountingFile((40, 12), (4, 4))
    read = shared(file)
    touched = []
    for top in range(1, 40 - 4 * height, 3):
        rows = slice(top, top + 4 * height - 2)
        read((rows, slice(1, 11)))
        touched.append(len(range(rows.start // 4, (rows.stop - 1) // 4 + 1)))
        assert file.kept <= 3 * (max(touched) + 1)


def test_block_that_was_used_last_is_kept_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_MOST_BYTES", 2 * 4 * 4 * 2)  # two blocks of uint16
    file = CountingFile((4, 12), (4, 4))
    read = shared(file)
    for left in (0, 4, 0, 8, 0, 4):
        read(part(1, 2, left + 1, left + 2))
    assert file.times_read == {(0, 0): 1, (0, 4): 2, (0, 8): 1}


class NotedFuture(Future[PixelArray]):
    """Tells `waiting` when somebody asks for its result before it is there."""

    waiting: threading.Semaphore

    def result(self, timeout: float | None = None) -> PixelArray:
        if not self.done():
            self.waiting.release()
        return super().result(PATIENCE)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Is released once for every thread that waits for a block."""
    monkeypatch.setattr(NotedFuture, "waiting", threading.Semaphore(0), raising=False)
    monkeypatch.setattr(blocks, "Future", NotedFuture)
    return NotedFuture.waiting


def until_others_wait(waiting: threading.Semaphore, others: int) -> None:
    for _ in range(others):
        assert waiting.acquire(timeout=PATIENCE), "a thread did not wait for the block that another reads"


def at_once(file: CountingFile, asked: Sequence[Part]) -> list[Future[PixelArray]]:
    """What threads get that ask for these parts side by side."""
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


def test_threads_in_any_order_get_the_files_numbers() -> None:
    file = CountingFile((60, 50), (16, 7))
    random = np.random.default_rng(3)
    corners = [
        sorted(random.choice(61, 2, replace=False)) + sorted(random.choice(51, 2, replace=False)) for _ in range(300)
    ]
    asked = [part(*(int(side) for side in corner)) for corner in corners]
    read = shared(file)
    with ThreadPoolExecutor(8) as pool:
        for each, numbers in zip(asked, pool.map(read, asked), strict=True):
            np.testing.assert_array_equal(numbers, file.pixels[each])


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
    """Who reads a scene gives up at the first error: nobody needs a second try, and all see the same."""

    def fail(asked: Part) -> None:
        if asked[1].start == 0:
            raise Broken

    file = CountingFile((4, 8), (4, 4), fail)
    read = shared(file)
    for _ in range(2):
        with pytest.raises(Broken):
            read(part(0, 4, 1, 6))
    np.testing.assert_array_equal(read(part(0, 4, 5, 7)), file.pixels[:, 5:7])
    assert file.times_read == {(0, 0): 1, (0, 4): 1}


@pytest.mark.parametrize(
    "options",
    [{"tiled": True, "blockxsize": 32, "blockysize": 16}, {"blockysize": 7}, {"blockysize": 1}, {"compress": "lzw"}],
    ids=str,
)
def test_parts_of_a_real_file_are_its_numbers(tmp_path: Path, options: dict[str, Any]) -> None:
    numbers = np.random.default_rng(1).integers(0, 65536, (75, 101)).astype(np.uint16)
    asked = band(write_tif(tmp_path / "red.tif", numbers, **options))
    with RasterFile(asked, Config(sandbox_dir=tmp_path)) as file:
        held = SharedBlocks(file)
        for window in grid(101, 75).windows(24):
            rows, columns = window.toslices()
            np.testing.assert_array_equal(held.numbers(file, rows, columns), numbers[rows, columns])
