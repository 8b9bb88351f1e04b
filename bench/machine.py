"""What was measured, where and when."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from .measuring import ROOT, run
from .peer_environment import peer_python

_GDAL = "import rasterio; print(rasterio.__gdal_version__)"


def describe(size: int, runs: int) -> str:
    """As the head of a markdown document."""
    facts = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Command": f"python -m bench {shlex.join(sys.argv[1:])}".strip(),
        "Commit": _first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "Machine": f"{_cpu_model()}, {os.cpu_count()} cores, {_memory_gb():.1f} GB of memory",
        "Load": _load(),
        "System": platform.platform(),
        "Python": platform.python_version(),
        "GDAL": f"{_gdal_of(Path(sys.executable))} (ours), {_gdal_of(peer_python())} (peers' rasterio), "
        f"{_first_line('gdalinfo', '--version')} (command line)",
        "Scenes": f"{size} x {size} pixels",
        "Numbers": f"median of {runs} runs in turns, the least in brackets; MB are 10^6 bytes",
    }
    return "# Measurements\n\n" + "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def _load() -> str:
    """The machine's load of the last minute, which should be idle."""
    load = os.getloadavg()[0]
    return f"{load:.1f} before the first run" + (": the machine is BUSY, so ratios may be off" if load > 0.5 else "")


def _gdal_of(python: Path) -> str:
    return run([python, "-c", _GDAL]).printed.strip()


def _first_line(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "not installed"


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
