"""Change detection with red, nir and swir16, by us and by other ways with the same rule."""

from ..jobs import THRESHOLD
from ..scenes import write_scenes
from . import Options
from .comparison import Peer, beside_peers

TITLE = "Change detection of two scenes, with red, nir and swir16"
_THRESHOLD = [str(THRESHOLD)]
_PEERS = (
    Peer(name="rasterio 1.5 + numexpr + COG driver", module="rasterio_change", leading=_THRESHOLD, of="rasterio"),
    Peer(name="rioxarray + dask + odc-geo", module="dask_odc_change", leading=_THRESHOLD),
)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    result = beside_peers("change-swir16", scenes, [*scenes.before.all, *scenes.after.all], _PEERS, options)
    return f"""{result}

All apply the same rule and mask by the scene classification, and write DEFLATE level 1 in tiles of 512 with mode
overviews. Only ours has a palette and class names."""
