"""The shared blocks of a raster: the DN of any part, each block read once, and bounded memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.reading.blocks import shared_blocks
from processing.raster.reading.blocks.shared_blocks import SharedBlocks
from processing.raster.reading.raster_file import RasterFile
from tests.raster.reading.counting_file import CountingFile, Part, Shape, part, shared
from tests.raster.support.configs import LIMITS
from tests.raster.support.rasters import band, grid, write_tif


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """The shapes of a raster and of its blocks: tiles of any sides, strips, or one block of everything or more."""
    rows, columns = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    block = draw(st.sampled_from([(height, width), (height, columns), (rows, columns), (rows + 5, columns + 3)]))
    return (rows, columns), block


@st.composite
def parts_of(draw: st.DrawFn, shape: Shape) -> Part:
    top, left = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
    return part(top, draw(st.integers(top + 1, shape[0])), left, draw(st.integers(left + 1, shape[1])))


@given(layouts(), st.data())
def test_any_parts_in_any_order_are_the_dn_of_the_file(layout: tuple[Shape, Shape], data: st.DataObject) -> None:
    file = CountingFile(*layout)
    read = shared(file)
    for asked in data.draw(st.lists(parts_of(layout[0]), min_size=1, max_size=12)):
        np.testing.assert_array_equal(read(asked), file.pixels[asked])


@given(layouts(), st.data())
def test_only_whole_blocks_are_read(layout: tuple[Shape, Shape], data: st.DataObject) -> None:
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
    """`shift` is how far the first window reaches beyond the raster's corner, as on the grid of another scene."""
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
def test_whole_blocks_are_read_directly_and_not_kept(whole: Part) -> None:
    file = CountingFile((10, 11), (4, 4))
    dn = shared(file)(whole)
    assert file.reads == [whole]
    assert file.held_bytes == dn.nbytes
    np.testing.assert_array_equal(dn, file.pixels[whole])
    del dn
    assert file.held_bytes == 0


@pytest.mark.parametrize("first", [part(1, 2, 5, 6), part(1, 7, 1, 2), part(1, 2, 1, 11), part(1, 7, 9, 11)], ids=str)
def test_each_block_is_read_once(first: Part) -> None:
    file = CountingFile((8, 12), (4, 4))
    read = shared(file)
    read(first)
    asked = part(1, 7, 1, 11)
    np.testing.assert_array_equal(read(asked), file.pixels[asked])
    assert len(file.reads) == len(file.times_read) == 6


def test_block_that_is_not_kept_is_read_again() -> None:
    file = CountingFile((8, 8), (4, 4))
    read = shared(file)
    read(part(0, 4, 0, 4))
    read(part(1, 2, 1, 2))
    read(part(2, 3, 2, 3))
    assert file.times_read == {(0, 0): 2}


def test_writing_to_a_part_does_not_change_the_next_one() -> None:
    file = CountingFile((8, 8), (4, 4))
    read = shared(file)
    read(part(1, 7, 1, 7))[:] = 0
    np.testing.assert_array_equal(read(part(1, 7, 1, 7)), file.pixels[1:7, 1:7])


@given(layouts(), st.integers(1, 2000), st.data())
def test_kept_blocks_never_exceed_the_bound(layout: tuple[Shape, Shape], bound: int, data: st.DataObject) -> None:
    file = CountingFile(*layout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_blocks, "_MOST_BYTES", bound)
        read = shared(file)
        for asked in data.draw(st.lists(parts_of(layout[0]), min_size=1, max_size=12)):
            np.testing.assert_array_equal(read(asked), file.pixels[asked])
            assert file.held_bytes <= max(file.block_bytes, bound)


@pytest.mark.parametrize("height", [1, 2, 5])
def test_only_the_rows_of_blocks_that_a_window_touches_and_one_more_are_kept(height: int) -> None:
    file = CountingFile((40, 12), (4, 4))
    read = shared(file)
    touched = []
    for top in range(1, 40 - 4 * height, 3):
        rows = slice(top, top + 4 * height - 2)
        read((rows, slice(1, 11)))
        touched.append(len(range(rows.start // 4, (rows.stop - 1) // 4 + 1)))
        assert file.held_bytes <= 3 * (max(touched) + 1) * file.block_bytes


def test_block_that_was_used_last_is_kept_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_blocks, "_MOST_BYTES", 2 * 4 * 4 * 2)  # two blocks of uint16
    file = CountingFile((4, 12), (4, 4))
    read = shared(file)
    for left in (0, 4, 0, 8, 0, 4):
        read(part(1, 2, left + 1, left + 2))
    assert file.times_read == {(0, 0): 1, (0, 4): 2, (0, 8): 1}


@pytest.mark.parametrize(
    "options",
    [{"tiled": True, "blockxsize": 32, "blockysize": 16}, {"blockysize": 7}, {"blockysize": 1}, {"compress": "lzw"}],
    ids=str,
)
def test_parts_of_a_real_file_are_its_dn(tmp_path: Path, options: dict[str, Any]) -> None:
    dn = np.random.default_rng(1).integers(0, 65536, (75, 101)).astype(np.uint16)
    asked = band(write_tif(tmp_path / "red.tif", dn, **options))
    raster = RasterFile.describe(asked, LIMITS)
    held = SharedBlocks(raster)
    with raster.open() as opened:
        for window in grid(101, 75).windows(24):
            rows, columns = window.toslices()
            np.testing.assert_array_equal(held.dn(opened, rows, columns), dn[rows, columns])
