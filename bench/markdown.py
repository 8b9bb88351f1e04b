"""Tables as people read them in a terminal and on a web page."""

from collections.abc import Iterable, Sequence
from statistics import median


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column to the left, numbers to the right, all of a width; what a row lacks is a dash."""
    lines = [[*row, *["-"] * (len(head) - len(row))] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in [lines[0], rule, *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least in brackets."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f})"
