"""NDVI to a COG by the command line tool of GDAL."""

import subprocess
from pathlib import Path

from .settings import BLOCK

_OPTIONS = {
    "COMPRESS": "DEFLATE",
    "LEVEL": "1",
    "PREDICTOR": "YES",
    "BLOCKSIZE": str(BLOCK),
    "OVERVIEW_RESAMPLING": "AVERAGE",
    "NUM_THREADS": "ALL_CPUS",
}


def gdal_translate(source: Path, out: Path) -> None:
    options = [part for name, value in _OPTIONS.items() for part in ("-co", f"{name}={value}")]
    subprocess.run(["gdal_translate", "-q", "-of", "COG", "-a_nodata", "nan", *options, source, out], check=True)
