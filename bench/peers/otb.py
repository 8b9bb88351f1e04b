"""BandMath of the Orfeo ToolBox to an uncompressed raster, then gdal_translate -of COG."""

import subprocess
import sys
from pathlib import Path

from .gdal_translate import gdal_translate
from .settings import ZERO_REFLECTANCE
from .timing import timed

_RED, _NIR = (f"max({band}-{ZERO_REFLECTANCE},0)" for band in ("im1b1", "im2b1"))
# Its parser knows no NaN by name, and the result of 0/0 is one.
_NDVI = f"(im1b1==0 || im2b1==0) ? 0/0 : ({_NIR}-{_RED})/({_NIR}+{_RED})"


def main(red: Path, nir: Path, out: Path) -> None:
    raw = out.with_suffix(".raw.tif")
    command: list[str | Path] = ["otbcli_BandMath", "-progress", "0", "-ram", "512", "-il", red, nir, "-exp", _NDVI]
    subprocess.run([*command, "-out", f"{raw}?&gdal:co:TILED=YES", "float"], check=True, stdout=subprocess.DEVNULL)
    gdal_translate(raw, out)
    raw.unlink()


if __name__ == "__main__":
    timed(main, *map(Path, sys.argv[1:]))
