"""From nothing to a map: `python -m bench.first_byte`, with ASTRA_API_KEY and ASTRA_API_URL of a running `up`.

Makes an empty virtual environment, then measures `pip install ./client && astra ndvi SCENE -o out.tif`: how long the
installation took, and after how many seconds in all the first byte of the COG was on the disk, and the whole file.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from .measuring import ROOT

_SCENE = "sentinel-2:S2B_MSIL2A_20250115T184929"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.first_byte", description=__doc__)
    parser.add_argument("--scene", default=_SCENE)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print("| run | installed after | first byte after | whole file after |\n|---|---|---|---|")
    for run in range(1, arguments.runs + 1):
        times = " | ".join(f"{seconds:.1f} s" for seconds in measure(arguments.scene))
        print(f"| {run} | {times} |", flush=True)


def measure(scene: str) -> tuple[float, float, float]:
    """Seconds until the client is installed, the first byte of the result has arrived, and all of it."""
    with tempfile.TemporaryDirectory() as made:
        folder, programs = Path(made) / "out", Path(made) / "venv" / "bin"
        folder.mkdir()
        venv.create(programs.parent, with_pip=True)
        began = time.monotonic()
        subprocess.run([programs / "pip", "install", "--quiet", ROOT / "client"], check=True, stderr=subprocess.DEVNULL)
        installed = time.monotonic()
        process = subprocess.Popen(
            [programs / "astra", "ndvi", scene, "-o", folder / "out.tif"], stdout=subprocess.DEVNULL
        )
        arrived = _first_byte(folder, process)
        if process.wait() != 0:
            sys.exit(f"astra ended with {process.returncode}")
        return installed - began, arrived - began, time.monotonic() - began


def _first_byte(folder: Path, process: subprocess.Popen[bytes]) -> float:
    """When the first file in the folder, which may be a partial one, had a byte."""
    while process.poll() is None and not any(path.stat().st_size for path in folder.iterdir()):
        time.sleep(0.01)
    return time.monotonic()


if __name__ == "__main__":
    main()
