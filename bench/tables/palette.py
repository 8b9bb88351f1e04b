"""NDVI with a colormap, as bytes with a palette, of one scene."""

from ..scenes import write_scenes
from . import Options
from .comparison import Peer, beside_peers

TITLE = "NDVI of one scene, with a palette"
_PEERS = (
    Peer(name="rasterio 1.5 in windows + COG driver", module="rasterio_windows", leading=["uint8"], of="rasterio"),
    Peer(name="rasterio 1.5 + numexpr + COG driver", module="rasterio_numexpr", leading=["uint8"], of="rasterio"),
    Peer(name="rasterio 1.4 in windows + COG driver", module="rasterio_windows", leading=["uint8"]),
)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    result = beside_peers("ndvi-palette", scenes, [scenes.after.red, scenes.after.nir], _PEERS, options)
    return f"""{result}

All write DEFLATE level 1 in tiles of 512 with average overviews and nodata 0, with all cores. Only ours has statistics
at full resolution."""
