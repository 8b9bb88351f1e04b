"""The colormaps: as many colours as asked for, their published ends, linear between their nodes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rio_tiler.colormap import cmap

from processing.raster import colormaps

RDYLGN = ["A50026", "D73027", "F46D43", "FDAE61", "FEE08B", "FFFFBF", "D9EF8B", "A6D96A", "66BD63", "1A9850", "006837"]
GREENS = ["F7FCF5", "E5F5E0", "C7E9C0", "A1D99B", "74C476", "41AB5D", "238B45", "006D2C", "00441B"]


def rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text))


def as_tuples(name: str, count: int) -> list[tuple[int, ...]]:
    return [tuple(int(channel) for channel in color) for color in colormaps.colors(name, count)]


def test_there_are_the_three_documented_names() -> None:
    assert set(colormaps.NAMES) == {"rdylgn", "greens", "viridis"}


@given(st.sampled_from(colormaps.NAMES), st.integers(2, 600))
def test_gives_as_many_colors_as_asked_for(name: str, count: int) -> None:
    colors = colormaps.colors(name, count)
    assert (colors.shape, colors.dtype) == ((count, 3), np.dtype("uint8"))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("rdylgn", RDYLGN[0], RDYLGN[-1]), ("greens", GREENS[0], GREENS[-1]), ("viridis", "440154", "FDE724")],
)
def test_ends_are_the_published_ones(name: str, low: str, high: str) -> None:
    for count in (2, 11, 255):
        colors = as_tuples(name, count)
        assert (colors[0], colors[-1]) == (rgb(low), rgb(high))


@pytest.mark.parametrize(("name", "nodes"), [("rdylgn", RDYLGN), ("greens", GREENS)])
def test_nodes_come_through_unchanged(name: str, nodes: list[str]) -> None:
    assert as_tuples(name, len(nodes)) == [rgb(node) for node in nodes]


@pytest.mark.parametrize("name", colormaps.NAMES)
def test_colors_agree_with_the_tables_of_rio_tiler(name: str) -> None:
    table = cmap.get(name)
    theirs = np.array([table[index][:3] for index in range(256)], dtype=float)
    # Its tables were cut to whole numbers where ours are rounded.
    assert np.abs(colormaps.colors(name, 256) - theirs).max() <= 1


@pytest.mark.parametrize(("name", "nodes"), [("rdylgn", RDYLGN), ("greens", GREENS)])
@pytest.mark.parametrize("steps", [2, 5, 127])
def test_colors_are_linear_between_nodes(name: str, nodes: list[str], steps: int) -> None:
    colors = colormaps.colors(name, (len(nodes) - 1) * steps + 1).astype(float)
    for index, (left, right) in enumerate(pairwise(nodes)):
        shares = np.linspace(0, 1, steps + 1)[:, None]
        expected = (1 - shares) * np.array(rgb(left)) + shares * np.array(rgb(right))
        assert np.abs(colors[index * steps : (index + 1) * steps + 1] - expected).max() <= 0.5 + 1e-9


def test_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        colormaps.colors("jet", 5)
