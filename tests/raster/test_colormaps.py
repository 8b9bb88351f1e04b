"""The colormaps: as many colours as asked for, their published ends, linear between their nodes."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rio_tiler.colormap import cmap

from processing.raster.colormaps import Colormap, colors

NAMES: tuple[Colormap, ...] = get_args(Colormap)
RDYLGN = ["A50026", "D73027", "F46D43", "FDAE61", "FEE08B", "FFFFBF", "D9EF8B", "A6D96A", "66BD63", "1A9850", "006837"]
GREENS = ["F7FCF5", "E5F5E0", "C7E9C0", "A1D99B", "74C476", "41AB5D", "238B45", "006D2C", "00441B"]


def rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text))


def as_tuples(name: Colormap, count: int) -> list[tuple[int, ...]]:
    return [tuple(int(channel) for channel in color) for color in colors(name, count)]


@given(st.sampled_from(NAMES), st.integers(2, 600))
def test_there_are_as_many_colors_as_asked_for(name: Colormap, count: int) -> None:
    found = colors(name, count)
    assert (found.shape, found.dtype) == ((count, 3), np.dtype("uint8"))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("rdylgn", RDYLGN[0], RDYLGN[-1]), ("greens", GREENS[0], GREENS[-1]), ("viridis", "440154", "FDE724")],
)
def test_ends_are_the_published_ones(name: Colormap, low: str, high: str) -> None:
    for count in (2, 11, 255):
        found = as_tuples(name, count)
        assert (found[0], found[-1]) == (rgb(low), rgb(high))


@pytest.mark.parametrize(("name", "nodes"), [("rdylgn", RDYLGN), ("greens", GREENS)])
def test_nodes_come_through_unchanged(name: Colormap, nodes: list[str]) -> None:
    assert as_tuples(name, len(nodes)) == [rgb(node) for node in nodes]


@pytest.mark.parametrize("name", NAMES)
def test_colors_agree_with_the_tables_of_rio_tiler(name: Colormap) -> None:
    table = cmap.get(name)
    theirs = np.array([table[index][:3] for index in range(256)], dtype=float)
    # Its tables were cut to whole numbers, ours are rounded.
    assert np.abs(colors(name, 256) - theirs).max() <= 1


@pytest.mark.parametrize(("name", "nodes"), [("rdylgn", RDYLGN), ("greens", GREENS)])
@pytest.mark.parametrize("steps", [2, 5, 127])
def test_colors_are_linear_between_nodes(name: Colormap, nodes: list[str], steps: int) -> None:
    found = colors(name, (len(nodes) - 1) * steps + 1).astype(float)
    for index, (left, right) in enumerate(pairwise(nodes)):
        shares = np.linspace(0, 1, steps + 1)[:, None]
        expected = (1 - shares) * np.array(rgb(left)) + shares * np.array(rgb(right))
        assert np.abs(found[index * steps : (index + 1) * steps + 1] - expected).max() <= 0.5 + 1e-9
