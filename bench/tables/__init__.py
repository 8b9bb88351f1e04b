"""The tables that `python -m bench` prints, one module each. A module's `measure` returns its table as markdown."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FULL_SIZE = 10980  # pixels a side of a Sentinel-2 tile at 10 m


@dataclass(frozen=True, kw_only=True)
class Options:
    """`size` in pixels a side; `work` is an empty folder for outputs. A table may put its `figures` there, as JSON."""

    size: int
    runs: int
    work: Path
    figures: dict[str, Any] = field(default_factory=dict)
