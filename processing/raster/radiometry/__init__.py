"""From DN to reflectance: which sensor took a scene, which asset holds a band, its scale, offset and nodata, its mask.

It reads STAC items and arrays, never a file or a host. `sensors` is the table of sensors; `offset` decides the offset.
"""

from .bands import resolve_band, resolve_mask
from .sensors import sensor_of, sensor_of_product

__all__ = ["resolve_band", "resolve_mask", "sensor_of", "sensor_of_product"]
