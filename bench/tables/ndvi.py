"""NDVI as float32 of one scene, by us and by the tools that people use for it."""

from ..scenes import write_scenes
from . import Options
from .comparison import Peer, beside_peers

TITLE = "NDVI of one scene"
_PEERS = (
    Peer(name="rasterio 1.5 in windows + COG driver", module="rasterio_windows", leading=["float32"], of="rasterio"),
    Peer(name="rasterio 1.5 + numexpr + COG driver", module="rasterio_numexpr", leading=["float32"], of="rasterio"),
    Peer(name="rasterio 1.4 in windows + COG driver", module="rasterio_windows", leading=["float32"]),
    Peer(name="async-geotiff + numexpr + COG driver", module="async_tiff", of="async-geotiff"),
    Peer(name="xarray-spatial + numba", module="xarray_spatial", of="xarray-spatial"),
    Peer(name="gdal-wheel + numexpr + COG driver", module="gdal_numexpr", of="gdal"),
    Peer(name="gdal_calc + gdal_translate", module="gdal_calc", program="gdal_calc.py"),
    Peer(name="rioxarray + dask + odc-geo write_cog", module="dask_odc"),
    Peer(name="rasterio + rio-cogeo", module="windowed_rasterio"),
    Peer(name="rio-tiler + rio-cogeo", module="rio_tiler"),
    Peer(name="OTB BandMath + gdal_translate", module="otb", program="otbcli_BandMath"),
)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    result = beside_peers("ndvi", scenes, [scenes.after.red, scenes.after.nir], _PEERS, options)
    return f"""{result}

All write DEFLATE level 1 with predictor 3 in tiles of 512, average overviews and nodata NaN, with all cores. The rows
with gdal_translate run two programs one after the other; their memory is that of the larger one."""
