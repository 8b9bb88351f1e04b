"""How one grid lies on another, which decides how pixels come from the one to the other."""

from dataclasses import dataclass

from .grid import Grid, Line

# With source pixels so much smaller than the target's, only an average uses them all.
_SHRINKS = 2.0
# Resolutions that differ by less than this part are alike.
ALIKE = 0.01


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """The target's pixels are pixels of the source: they are read as they are."""

    corner: tuple[int, int]  # (column, row) in the source at which the target begins


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """Rows and columns run alike, but the pixels differ: they are averaged or interpolated along both axes."""

    rows: Line
    columns: Line
    averages: bool


@dataclass(frozen=True, kw_only=True)
class Across:
    """The CRS or the directions of rows and columns differ: pixels are warped."""

    averages: bool


Placement = Aligned | Parallel | Across


def placement_of(target: Grid, source: Grid) -> Placement:
    """How `target` lies on `source`.

    Pixels are averaged if the target's are at least (nearly) twice as large as the source's, else interpolated.
    """
    corner = target.offset_in(source)
    if corner is not None:
        return Aligned(corner=corner)
    averages = target.gsd >= _SHRINKS * source.gsd * (1 - ALIKE)
    axes = target.axes_on(source)
    if axes is None:
        return Across(averages=averages)
    columns, rows = axes
    return Parallel(rows=rows, columns=columns, averages=averages)


def resampling_of(placement: Placement, *, blends: bool) -> str:
    """How pixels come from the one grid to the other, by name. Those of masks, which do not blend, are never mixed."""
    match placement:
        case Aligned():
            return "aligned"
        case Parallel():
            return _way(placement.averages, blends)
        case Across():
            return f"warped, {_way(placement.averages, blends)}"


def _way(averages: bool, blends: bool) -> str:
    if not blends:
        return "nearest"
    return "average" if averages else "bilinear"
