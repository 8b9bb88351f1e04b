"""Where pixels lie on the ground, by arithmetic alone: nothing here loads GDAL, so the web process may use it.

`PixelGrid` is a grid in any map, `UtmGrid` one whose map is computed here; `common_ground` is what grids share.
"""

from .common_ground import common_ground, part_in
from .pixel_grid import PixelGrid
from .utm_grid import UtmGrid

__all__ = ["PixelGrid", "UtmGrid", "common_ground", "part_in"]
