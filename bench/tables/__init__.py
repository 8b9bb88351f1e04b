"""The tables that `python -m bench` prints, one module each. A module's `measure` returns its table as markdown."""

from dataclasses import dataclass
from pathlib import Path

FULL_SIZE = 10980  # pixels a side of a Sentinel-2 tile at 10 m


@dataclass(frozen=True, kw_only=True)
class Options:
    """`size` in pixels a side; `work` is an empty folder for outputs."""

    size: int
    runs: int
    work: Path
