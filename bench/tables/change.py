"""Change detection with red, nir and swir16, by us and by a pipeline of dask with the same rule."""

from ..jobs import THRESHOLD
from ..scenes import warm, write_scenes
from . import Options
from .comparison import ours, peer, side_by_side

TITLE = "Change detection of two scenes, with red, nir and swir16"


def measure(options: Options) -> str:
    scenes = write_scenes(options.size)
    inputs = [*scenes.before.all, *scenes.after.all]
    warm(inputs)
    dask = peer("rioxarray + dask + odc-geo", "dask_odc_change", [str(THRESHOLD), *inputs], options.work)
    result = side_by_side([ours("change-swir16", scenes, options.work), dask], options.runs)
    return f"""{result}

Both apply the same rule and mask by the scene classification, and write DEFLATE level 1 in tiles of 512 with mode
overviews. Only ours has a palette and class names; write_cog takes none."""
