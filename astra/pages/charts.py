"""Charts as inline SVG, made on the server: no script, and colours that follow the page."""

from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 2.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a column: how much, of which class of the stylesheet or which colour (RRGGBB), and what it says."""

    value: float
    title: str
    kind: str = "accent"
    color: str = ""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of the drawing."""

    x: str
    y: str
    width: str
    height: str
    part: Part


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Boxes and the labels below the first, the middle and the last column. `title` is for those who cannot see it."""

    title: str
    width: int
    height: int
    boxes: Sequence[Box]
    labels: Sequence[tuple[str, str, str]]  # x, anchor, text
    most: float

    @property
    def whole_height(self) -> int:
        """With the line of labels."""
        return self.height + 18


def column_chart(
    title: str, columns: Sequence[Sequence[Part]], labels: tuple[str, str, str], *, width: int = 640, height: int = 120
) -> Chart:
    """Columns side by side, each of parts on top of each other. The highest one fills the height."""
    most = max((sum(part.value for part in column) for column in columns), default=0)
    step = width / max(1, len(columns))
    boxes = [
        box for index, column in enumerate(columns) for box in _stacked(column, index * step, step - _GAP, height, most)
    ]
    places = (("0", "start"), (str(width // 2), "middle"), (str(width), "end"))
    placed = [(x, anchor, text) for (x, anchor), text in zip(places, labels, strict=True)]
    return Chart(title=title, width=width, height=height, boxes=boxes, labels=placed, most=most)


def _stacked(column: Sequence[Part], x: float, width: float, height: int, most: float) -> list[Box]:
    boxes, top = [], float(height)
    for part in column:
        tall = height * part.value / most if most else 0.0
        top -= tall
        if part.value:
            places = {"x": f"{x:.1f}", "y": f"{top:.1f}", "width": f"{width:.1f}", "height": f"{tall:.1f}"}
            boxes.append(Box(**places, part=part))
    return boxes
