"""How much of a scene is clear, if the job itself does not read the mask: by an overview, or the part that matters."""

from math import ceil

import numpy as np
from affine import Affine
from rasterio.enums import Resampling
from rasterio.features import geometry_mask
from rasterio.warp import reproject

from ..errors import RasterError
from ..gdal import gdal_environment
from ..grids import Grid, Overlay
from ..grids.grid import outer_window
from ..radiometry import resolve_mask
from ..radiometry.masks import clear_pixels, cloudy_pixels
from ..reading import OpenRasters, OpenScene
from ..reading.checks import named_errors
from ..reading.raster_file import RasterFile
from ..types import BoolArray, PixelArray

_SIDE = 512  # pixels of the overview, and of the result as it is looked at
_MOST_PIXELS = 1024 * 1024  # of a part of the mask that is read at full resolution


def clear_percent(opened: OpenScene, overlay: Overlay, index: int, rasters: OpenRasters) -> float | None:
    """Percent of the result's pixels that the scene's mask marks as clear, of those that it marks as clear or hidden.

    For the scene that is number `index` in the job. None if the scene has no mask, or none that can be read.
    """
    mask = resolve_mask(opened.scene)
    if mask is None:
        return None
    try:
        with gdal_environment(), named_errors(mask):
            (file,) = rasters.describe([mask])
            dn, inside = _on_result(file, overlay, overlay.turns[index])
    except RasterError:
        return None
    clear, cloudy = (np.count_nonzero(inside & marked(dn, mask.kind)) for marked in (clear_pixels, cloudy_pixels))
    return 100 * int(clear) / int(clear + cloudy) if clear + cloudy else None


def _on_result(file: RasterFile, overlay: Overlay, turn: float) -> tuple[PixelArray, BoolArray]:
    """DN of the mask on a coarse grid over the result, and which of its pixels are in the area of interest."""
    grid = overlay.grid.moved(-turn) if turn else overlay.grid
    dn, transform = _part(file, grid)
    step = max(1.0, max(grid.shape) / _SIDE)
    shape = ceil(grid.height / step), ceil(grid.width / step)
    coarse = np.zeros(shape, dtype=dn.dtype)
    reproject(
        dn,
        coarse,
        src_transform=transform,
        src_crs=file.grid.crs,
        dst_transform=grid.transform @ Affine.scale(step),
        dst_crs=grid.crs,
        resampling=Resampling.nearest,
    )
    if overlay.area is None:
        return coarse, np.ones(shape, dtype=np.bool_)
    return coarse, geometry_mask([overlay.area], shape, Affine.scale(step), invert=True)


def _part(file: RasterFile, grid: Grid) -> tuple[PixelArray, Affine]:
    """DN of the mask under the grid if they are few, else those of an overview, and their transform."""
    outline, _ = file.grid.footprint_of(grid)
    window = outer_window(outline.intersection(file.grid.rectangle))
    if window is not None and window.width * window.height <= _MOST_PIXELS:
        with file.open() as opened:
            return opened.dn(*window.toslices()), file.grid.cut(window).transform
    dn = file.overview(_SIDE)
    rows, columns = dn.shape
    return dn, file.grid.transform @ Affine.scale(file.grid.width / columns, file.grid.height / rows)
