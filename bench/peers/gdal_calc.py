"""gdal_calc to an uncompressed raster, then gdal_translate -of COG: one process after the other."""

import subprocess
import sys
from pathlib import Path

from .gdal_translate import gdal_translate
from .settings import ZERO_REFLECTANCE
from .timing import timed

_RED, _NIR = (f"maximum({band}.astype(float32)-{ZERO_REFLECTANCE},0)" for band in "AB")
_NDVI = f"where((A==0)|(B==0),nan,(({_NIR}-{_RED})/({_NIR}+{_RED})).astype(float32))"


def main(red: Path, nir: Path, out: Path) -> None:
    raw = out.with_suffix(".raw.tif")
    command: list[str | Path] = [
        "gdal_calc.py",
        "--quiet",
        "--overwrite",
        "-A",
        red,
        "-B",
        nir,
        f"--outfile={raw}",
        f"--calc={_NDVI}",
    ]
    # Its own handling of nodata multiplies with it, which no NaN survives: the expression does it.
    options = ["--type=Float32", "--NoDataValue=nan", "--hideNoData", "--co", "TILED=YES", "--co", "BIGTIFF=IF_SAFER"]
    subprocess.run([*command, *options], check=True)
    gdal_translate(raw, out)
    raw.unlink()


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
