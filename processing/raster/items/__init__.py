"""What the STAC items of scenes say, without a raster being opened: nothing here loads GDAL.

`scene_item` is a scene as callers see it, `estimate` a job before it runs; `caveats` become a job's warnings.
"""

from .estimate import Estimate, estimate
from .scene_item import scene_item

__all__ = ["Estimate", "estimate", "scene_item"]
