"""Draws docs/imports.svg, the picture of who imports whom: `python -m docs.draw_imports [file]`.

The rows are the layers of the contracts in pyproject.toml, the arrows are what grimp finds in the code. An arrow that
follows from others (a -> b -> c implies a -> c) is left out; one that breaks the layers is red. Migrations, and modules
that import nothing of ours and that nothing of ours imports, are left out too.
"""

import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import grimp

from .layered_drawing import Arrow, Box, Diagram, svg

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "imports.svg"
RASTER = "processing.raster"
COLOURS = {"processing.raster": "#d9efd3", "processing": "#d6e6f5", "accounts": "#fce5c3", "astra": "#e8e8e8"}
NOTE = "An arrow is an import; those that follow from others are left out, red ones break the layers of pyproject.toml."

Arrows = frozenset[Arrow]


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    target.write_text(picture())


def picture() -> str:
    imports = all_imports()
    house = frozenset((part(importer, 2), part(imported, 2)) for importer, imported in imports)
    rooms = frozenset(
        (part(importer, 3), part(imported, 3 if in_raster(imported) else 2))
        for importer, imported in imports
        if in_raster(importer)
    )
    return svg([diagram("The house", "processing", house), diagram(f"Inside {RASTER}", RASTER, rooms)], NOTE)


def all_imports() -> Arrows:
    graph = grimp.build_graph("processing", "astra", "accounts", cache_dir=None, exclude_type_checking_imports=True)
    return frozenset(
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if ".migrations" not in importer
    )


def in_raster(module: str) -> bool:
    return module.startswith(f"{RASTER}.")


def part(module: str, depth: int) -> str:
    """The package or module of that depth that holds `module`."""
    return ".".join(module.split(".")[:depth])


def diagram(title: str, container: str, imports: Arrows) -> Diagram:
    between = frozenset((importer, imported) for importer, imported in imports if importer != imported)
    rows = with_others(layers(container), between)
    down = frozenset((importer, imported) for importer, imported in between if rows[importer] < rows[imported])
    boxes = {name: box(name, container) for name in rows}
    return Diagram(title=title, boxes=boxes, rows=rows, arrows=without_implied(down), wrong_arrows=between - down)


def box(name: str, container: str) -> Box:
    colour = next(colour for package, colour in COLOURS.items() if f"{name}.".startswith(f"{package}."))
    return Box(label=name.removeprefix(f"{container}."), colour=colour)


def layers(container: str) -> dict[str, int]:
    """The row of each module below `container` that a contract of import-linter names, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rows = next(contract["layers"] for contract in settings["contracts"] if container in contract.get("containers", ()))
    # a | b and a : b are modules of one layer, and (a) is one that may be missing.
    return {f"{container}.{name}": row for row, layer in enumerate(rows) for name in re.findall(r"\w+", layer)}


def with_others(layers: Mapping[str, int], imports: Arrows) -> dict[str, int]:
    """`layers`, and the rows of modules outside of them: below all that import one, else just above what it imports."""
    others = sorted({name for arrow in imports for name in arrow} - set(layers))
    rows = {**dict.fromkeys(others, 0), **layers}
    for _ in others:  # as often as the longest chain of them may need
        for name in others:
            rows[name] = max((rows[importer] + 1 for importer, imported in imports if imported == name), default=0)
    for name in set(others) - {imported for _, imported in imports}:
        rows[name] = max(0, min(rows[imported] for importer, imported in imports if importer == name) - 1)
    return rows


def without_implied(arrows: Arrows) -> Arrows:
    """The arrows that no way over others replaces (the transitive reduction). There is no circle among them."""
    return frozenset(
        (start, end)
        for start, end in arrows
        if not any(leads_to(middle, end, arrows) for begin, middle in arrows if begin == start and middle != end)
    )


def leads_to(start: str, end: str, arrows: Arrows) -> bool:
    return start == end or any(leads_to(middle, end, arrows) for begin, middle in arrows if begin == start)


if __name__ == "__main__":
    main()
