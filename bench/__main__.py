"""Measures ASTRA beside other tools on full scenes: `python -m bench [--size 10980] [--runs 5] [--only TABLE ...]`.

The scenes, and the virtual environment of the peers, are made once below bench/data.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .machine import describe
from .scenes import DATA
from .tables import FULL_SIZE, Options, change, floor, growth, http, ndvi, palette, pictures, processes, service

_TABLES: dict[str, tuple[str, Callable[[Options], str]]] = {
    module.__name__.rpartition(".")[2]: (module.TITLE, module.measure)
    for module in (ndvi, palette, change, floor, pictures, growth, processes, http, service)
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", type=int, default=FULL_SIZE, help="pixels a side of the scenes (default %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="of which the median is shown, and the least in brackets")
    parser.add_argument("--only", nargs="+", choices=_TABLES, metavar="TABLE", help=f"of {', '.join(_TABLES)}")
    parser.add_argument("--out", type=Path, help="file for the tables, beside the screen")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for the figures of every run")
    arguments = parser.parse_args()
    if arguments.size % 2:
        parser.error("--size must be even: a pixel of 20 m is two of 10 m")
    DATA.mkdir(exist_ok=True)
    parts = [describe(arguments.size, arguments.runs)]
    figures: dict[str, Any] = {"load_before": os.getloadavg()[0], "tables": {}}
    print(parts[0], flush=True)
    for name in arguments.only or _TABLES:
        text, figures["tables"][name] = _measure(name, arguments.size, arguments.runs)
        parts.append(text)
        print(f"\n{parts[-1]}", flush=True)
        if arguments.out:
            arguments.out.write_text("\n\n".join(parts) + "\n")
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def _measure(name: str, size: int, runs: int) -> tuple[str, dict[str, Any]]:
    """The table as markdown, and its figures."""
    title, measure = _TABLES[name]
    print(f"{name} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=DATA, prefix="work-") as work:
        options = Options(size=size, runs=runs, work=Path(work))
        return f"## {title}\n\n{measure(options)}", options.figures


if __name__ == "__main__":
    main()
