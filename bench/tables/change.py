"""Change detection with red, nir and swir16, by us and by other ways with the same rule."""

from ..jobs import THRESHOLD
from ..scenes import warm, write_scenes
from . import Options
from .comparison import Peer, ours, side_by_side

TITLE = "Change detection of two scenes, with red, nir and swir16"
_THRESHOLD = [str(THRESHOLD)]
_PEERS = (
    Peer(name="rasterio 1.5 + numexpr + COG driver", module="rasterio_change", leading=_THRESHOLD, of="rasterio"),
    Peer(name="rioxarray + dask + odc-geo", module="dask_odc_change", leading=_THRESHOLD),
)


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    inputs = [*scenes.before.all, *scenes.after.all]
    warm(inputs)
    peers = [peer.contender(inputs, options.work) for peer in _PEERS]
    result = side_by_side([ours("change-swir16", scenes, options.work), *peers], options)
    return f"""{result}

All apply the same rule and mask by the scene classification, and write DEFLATE level 1 in tiles of 512 with mode
overviews. Only ours has a palette and class names."""
