"""NDVI to a COG by rio-cogeo."""

from pathlib import Path
from typing import Any

from rio_cogeo.cogeo import cog_translate

from .settings import BLOCK, DEFLATE

_TILES = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
_PROFILE: dict[str, Any] = {"driver": "GTiff", "predictor": 3, **_TILES, **DEFLATE}
_CONFIG: dict[str, Any] = {"GDAL_NUM_THREADS": "ALL_CPUS", "GDAL_TIFF_OVR_BLOCKSIZE": BLOCK}


def translate(source: Any, out: Path) -> None:
    """`source` is a path or an open dataset."""
    cog_translate(source, out, _PROFILE, config=_CONFIG, overview_resampling="average", in_memory=False, quiet=True)
