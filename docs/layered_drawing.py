"""Draws boxes in given rows and arrows between them as SVG, the same for the same input.

After Sugiyama 1981: long arrows get a joint in each row that they pass, rows are sorted so that few arrows cross, and
each box moves to the middle of its neighbours as far as those beside it allow.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import fsum

Arrow = tuple[str, str]
Neighbours = Mapping[str, Sequence[str]]
Place = tuple[int, int]  # row, and index in it

_BOX_HEIGHT, _ROW_HEIGHT = 28, 72
_LETTER, _PADDING, _GAP, _JOINT_WIDTH = 7.2, 20, 18, 6
_MARGIN, _TITLE_HEIGHT = 24, 44
_SWEEPS = 60
_STRAIGHTNESS = 8
_PULL = 0.97  # to the middle, or boxes that only few arrows hold drift away


@dataclass(frozen=True, kw_only=True)
class Box:
    """What is written on a box, and its colour."""

    label: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """Boxes by name, the row of each from the top, arrows that lead down, and all others."""

    title: str
    boxes: Mapping[str, Box]
    rows: Mapping[str, int]
    arrows: frozenset[Arrow]
    wrong_arrows: frozenset[Arrow]

    @cached_property
    def chains(self) -> Mapping[Arrow, Sequence[str]]:
        """Each arrow as the names it passes: its box, a joint in each row between, and the box it leads to.

        Arrows to one box share their joints.
        """
        return {
            (start, end): [start, *(f"{row}>{end}" for row in range(self.rows[start] + 1, self.rows[end])), end]
            for start, end in sorted(self.arrows)
        }

    @cached_property
    def steps(self) -> Sequence[Arrow]:
        """The parts of all arrows, each from one row to the next."""
        return sorted({step for chain in self.chains.values() for step in pairwise(chain)})

    @cached_property
    def above(self) -> Neighbours:
        found = defaultdict(list)
        for upper, lower in self.steps:
            found[lower].append(upper)
        return found

    @cached_property
    def below(self) -> Neighbours:
        found = defaultdict(list)
        for upper, lower in self.steps:
            found[upper].append(lower)
        return found

    def width(self, name: str) -> float:
        return len(self.boxes[name].label) * _LETTER + _PADDING if name in self.boxes else _JOINT_WIDTH

    def unsorted_rows(self) -> list[list[str]]:
        joints = {name: row for chain in self.chains.values() for row, name in enumerate(chain, self.rows[chain[0]])}
        row_of = {**joints, **self.rows}
        return [sorted(name for name in row_of if row_of[name] == row) for row in range(max(row_of.values()) + 1)]


# --- Order within the rows ------------------------------------------------------------------------------------------


def sorted_rows(diagram: Diagram) -> list[list[str]]:
    """The names of each row from left to right, so that few arrows cross."""
    rows = best = diagram.unsorted_rows()
    for sweep in range(_SWEEPS):
        rows = _swept(rows, diagram.above) if sweep % 2 else _swept(rows[::-1], diagram.below)[::-1]
        best = min(best, rows, key=lambda rows: _crossings(rows, diagram))
    return _swapped(best, diagram)


def _swept(rows: Sequence[Sequence[str]], neighbours: Neighbours) -> list[list[str]]:
    """Row after row, sorted by where the neighbours of each name in the rows before stand on average."""
    place: dict[str, float] = {}
    done = []
    for row in rows:
        place.update({name: (index + 0.5) / len(row) for index, name in enumerate(row)})
        wanted = {name: _mean([place[near] for near in neighbours.get(name, ())], place[name]) for name in row}
        done.append(sorted(row, key=wanted.__getitem__))
        place.update({name: (index + 0.5) / len(row) for index, name in enumerate(done[-1])})
    return done


def _swapped(rows: list[list[str]], diagram: Diagram) -> list[list[str]]:
    """The rows after every swap of two neighbours that leaves fewer crossings."""
    least = _crossings(rows, diagram)
    for number, row in enumerate(rows):
        for index in range(len(row) - 1):
            swapped = [*row[:index], row[index + 1], row[index], *row[index + 2 :]]
            changed = [*rows[:number], swapped, *rows[number + 1 :]]
            if _crossings(changed, diagram) < least:
                return _swapped(changed, diagram)
    return rows


def _crossings(rows: Sequence[Sequence[str]], diagram: Diagram) -> int:
    place = {name: (number, index) for number, row in enumerate(rows) for index, name in enumerate(row)}
    ends = [(place[upper], place[lower]) for upper, lower in diagram.steps]
    return sum(_cross(*one, *other) for one, other in combinations(ends, 2))


def _cross(upper: Place, lower: Place, other_upper: Place, other_lower: Place) -> bool:
    is_beside = upper[0] == other_upper[0]
    return is_beside and (upper[1] - other_upper[1]) * (lower[1] - other_lower[1]) < 0


# --- Places ---------------------------------------------------------------------------------------------------------


def centres(diagram: Diagram, rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """The x of the middle of each name: near the middle of its neighbours, in the order of its row."""
    x = {name: 0.0 for row in rows for name in row}
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 else rows[::-1]:
            wanted = [_mean([x[near] for near in _neighbours(diagram, name)]) * _PULL for name in row]
            x.update(zip(row, _apart(wanted, [diagram.width(name) for name in row]), strict=True))
    left = min(x[name] - diagram.width(name) / 2 for name in x)
    return {name: x[name] - left + _MARGIN for name in x}


def _neighbours(diagram: Diagram, name: str) -> list[str]:
    """Those above and below; for a joint, its next joints count more than boxes, so that long arrows are straight."""
    near = [*diagram.above.get(name, ()), *diagram.below.get(name, ())]
    joints = [other for other in near if name not in diagram.boxes and other not in diagram.boxes]
    return [*near, *joints * _STRAIGHTNESS]


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The places nearest to `wanted` (least squares) that keep the order and a gap between things of these widths.

    Less what stands to its left, each place must not be lower than the one before: an isotonic regression, found by
    merging neighbours in the wrong order into blocks at their mean.
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + _GAP)
    blocks: list[list[float]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        blocks.append([place - offset])
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            blocks[-2:] = [[*blocks[-2], *blocks[-1]]]
    free = [_mean(block) for block in blocks for _ in block]
    return [place + offset for place, offset in zip(free, offsets, strict=True)]


def _mean(values: Sequence[float], otherwise: float = 0.0) -> float:
    return fsum(values) / len(values) if values else otherwise


# --- SVG ------------------------------------------------------------------------------------------------------------


def svg(diagrams: Sequence[Diagram], note: str) -> str:
    """The diagrams below one another, and a note at the end."""
    pictures = [_Picture(diagram) for diagram in diagrams]
    width = max(picture.width for picture in pictures)
    parts, top = [], 0
    for picture in pictures:
        parts.append(f'<g transform="translate({round((width - picture.width) / 2)} {top})">\n{picture.svg()}</g>\n')
        top += picture.height
    height = top + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"{_STYLE}{_HEADS}"
        f'<rect width="{width}" height="{height}" fill="white"/>\n'
        f"{''.join(parts)}"
        f'<text class="note" x="{width // 2}" y="{top}">{note}</text>\n'
        "</svg>\n"
    )


_STYLE = """\
<style>
text { font: 12px "DejaVu Sans", Verdana, sans-serif; text-anchor: middle; fill: #222 }
text.title { font-size: 15px; font-weight: bold }
text.note { font-size: 11px; fill: #555 }
rect.box { stroke: #555; rx: 5px }
path { fill: none; stroke: #555; stroke-width: 1.2; marker-end: url(#head) }
path.wrong { stroke: #c00; stroke-width: 1.6; marker-end: url(#wrong-head) }
</style>
"""
_HEADS = "".join(
    f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    f'markerUnits="userSpaceOnUse" orient="auto"><polygon points="0 0.5 8 4 0 7.5" fill="{colour}"/></marker>\n'
    for name, colour in (("head", "#555"), ("wrong-head", "#c00"))
)


class _Picture:
    """One diagram with everything in its place."""

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        rows = sorted_rows(diagram)
        self._row = {name: number for number, row in enumerate(rows) for name in row}
        self._x = centres(diagram, rows)
        self.width = round(max(self._x[name] + diagram.width(name) / 2 for name in self._x) + _MARGIN)
        self.height = _TITLE_HEIGHT + len(rows) * _ROW_HEIGHT

    def svg(self) -> str:
        title = f'<text class="title" x="{self.width // 2}" y="28">{self._diagram.title}</text>\n'
        arrows = [self._arrow(chain) for chain in self._diagram.chains.values()]
        wrong = [self._wrong_arrow(*arrow) for arrow in sorted(self._diagram.wrong_arrows)]
        return "".join([title, *arrows, *(self._box(name) for name in sorted(self._diagram.boxes)), *wrong])

    def _top(self, name: str) -> int:
        return _TITLE_HEIGHT + self._row[name] * _ROW_HEIGHT

    def _box(self, name: str) -> str:
        box, width, x, y = self._diagram.boxes[name], self._diagram.width(name), self._x[name], self._top(name)
        return (
            f'<rect class="box" x="{x - width / 2:.0f}" y="{y}" width="{width:.0f}" height="{_BOX_HEIGHT}" '
            f'fill="{box.colour}"/><text x="{x:.0f}" y="{y + 18}">{box.label}</text>\n'
        )

    def _arrow(self, chain: Sequence[str]) -> str:
        """Straight down past boxes, and in curves from row to row."""
        path = f"M{self._port(chain[0], chain[1], self._diagram.below):.0f} {self._top(chain[0]) + _BOX_HEIGHT}"
        for upper, lower in pairwise(chain):
            start, end = self._port(upper, lower, self._diagram.below), self._port(lower, upper, self._diagram.above)
            top, bottom = self._top(upper) + _BOX_HEIGHT, self._top(lower)
            middle = (top + bottom) // 2
            path += f" L{start:.0f} {top} C{start:.0f} {middle} {end:.0f} {middle} {end:.0f} {bottom}"
        return f'<path d="{path}"/>\n'

    def _port(self, name: str, other: str, neighbours: Neighbours) -> float:
        """Where on the edge of a box the arrow from or to `other` stands: side by side, in the order of the others."""
        near = sorted(neighbours[name], key=self._x.__getitem__)
        step = min(12.0, (self._diagram.width(name) - 12) / len(near)) if name in self._diagram.boxes else 0.0
        return self._x[name] + step * (near.index(other) - (len(near) - 1) / 2)

    def _wrong_arrow(self, start: str, end: str) -> str:
        """An arc above both boxes, as such an arrow leads up or sideways."""
        top = min(self._top(start), self._top(end)) - 30
        return (
            f'<path class="wrong" d="M{self._x[start]:.0f} {self._top(start)} C{self._x[start]:.0f} {top} '
            f'{self._x[end]:.0f} {top} {self._x[end]:.0f} {self._top(end)}"/>\n'
        )
