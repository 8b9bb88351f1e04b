"""What the peers share that write by GDAL's own COG driver."""

from pathlib import Path
from typing import Any

import rasterio.shutil

from .settings import BLOCK

CACHE = 512 << 20  # bytes


def options(resampling: str = "AVERAGE", predictor: str = "YES") -> dict[str, Any]:
    return {
        "driver": "COG",
        "compress": "DEFLATE",
        "level": 1,
        "predictor": predictor,
        "blocksize": BLOCK,
        "overview_resampling": resampling,
        "num_threads": "ALL_CPUS",
        "bigtiff": "IF_SAFER",
    }


def move_to_cog(raw: Path, out: Path, **changed: str) -> None:
    """Copy the plain raster to a COG, and remove it."""
    rasterio.shutil.copy(raw, out, **options(**changed))
    raw.unlink()
