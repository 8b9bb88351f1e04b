"""The worked example of CONTRIBUTING.md, put in place as its reader would."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from processing.raster import operations

GUIDE = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"


def source() -> str:
    """The text of `ndwi.py`: the indented block that defines OPERATION."""
    lines = GUIDE.read_text().splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if line.startswith("    OPERATION = "))
    begin = end
    while not lines[begin - 1].strip() or lines[begin - 1].startswith("    "):
        begin -= 1
    return dedent("".join(lines[begin : end + 1])).lstrip()


@contextmanager
def in_place(folder: Path) -> Iterator[Path]:
    """Path of `ndwi.py`, in a folder that counts as part of the operations."""
    path = folder / "ndwi.py"
    path.write_text(source())
    operations.__path__.append(str(folder))
    try:
        yield path
    finally:
        operations.__path__.remove(str(folder))
        sys.modules.pop(f"{operations.__name__}.ndwi", None)
