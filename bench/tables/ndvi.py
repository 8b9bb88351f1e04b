"""NDVI as float32 of one scene, by us and by the tools that people use for it."""

from ..scenes import warm, write_scenes
from . import Options
from .comparison import ours, peer, side_by_side

TITLE = "NDVI of one scene"
# name -> module, program that it needs beside its Python packages
_PEERS = {
    "gdal_calc + gdal_translate": ("gdal_calc", "gdal_calc.py"),
    "rioxarray + dask + odc-geo write_cog": ("dask_odc", ""),
    "rasterio + rio-cogeo": ("windowed_rasterio", ""),
    "rio-tiler + rio-cogeo": ("rio_tiler", ""),
    "OTB BandMath + gdal_translate": ("otb", "otbcli_BandMath"),
}


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    inputs = [scenes.after.red, scenes.after.nir]
    warm(inputs)
    peers = [peer(name, module, inputs, options.work, program) for name, (module, program) in _PEERS.items()]
    result = side_by_side([ours("ndvi", scenes, options.work), *peers], options.runs)
    return f"""{result}

All write DEFLATE level 1 with predictor 3 in tiles of 512, average overviews and nodata NaN, with all cores. The rows
with gdal_translate run two programs one after the other; their memory is that of the larger one."""
