"""The picture of a scene under a result: red, green and blue, or near infrared and red where these are absent."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import BandNotFound, RasterError
from ..grids import Grid
from ..radiometry import resolve_band
from ..radiometry.assets import is_jpeg_2000
from ..radiometry.offset_check import Shift
from ..radiometry.reflectance import to_reflectance, valid_pixels
from ..reading import OpenRasters, OpenScene
from ..reading.raster_file import RasterFile
from ..types import Band, PixelArray
from . import png
from .mercator import halvings, mercator_grid, warped

Bytes = npt.NDArray[np.uint8]

_TRUE_COLORS = "red", "green", "blue"
_FALSE_COLORS = "nir", "red", "red"
# The reflectance that is shown as white. The root of it brings out dark ground and keeps clouds from being all alike.
_WHITE = 0.45
_NODATA = 0
# Shades of a colour, from 3 to 255: as many as an eye sees in such a picture, in files half as large as with all.
_SHADES, _STEP, _DARKEST = 64, 4, 3
# Overviews may be a little finer than halves, as their sides are whole.
_SLACK = 1.01


def draw_scene(opened: OpenScene, grid: Grid, rasters: OpenRasters, picture: Path) -> None:
    """Write the picture of the scene under `grid`, the result's. Raises RasterError and OSError."""
    try:
        colors = _colors(opened, _TRUE_COLORS, grid, rasters)
    except RasterError:
        colors = _colors(opened, _FALSE_COLORS, grid, rasters)
    colors[:, colors.min(axis=0) == _NODATA] = _NODATA
    png.write_rgb(picture, colors)


def brightness(dn: PixelArray, band: Band) -> Bytes:
    """3 to 255 by reflectance, the same for each band and scene; 0 where there is no data."""
    if dn.dtype.itemsize == 2:  # all DN that there can be are fewer than the pixels
        every = np.arange(1 << 16, dtype=np.uint16).view(dn.dtype)
        of_each: Bytes = _brightness(every, band)[dn.view(np.uint16)]
        return of_each
    return _brightness(dn, band)


def _brightness(dn: PixelArray, band: Band) -> Bytes:
    with np.errstate(invalid="ignore"):
        shares = np.sqrt(to_reflectance(dn, band) / np.float32(_WHITE))
        shades = np.clip(np.rint((_SHADES - 1) * shares), 0, _SHADES - 1)
        values: Bytes = (_DARKEST + _STEP * shades).astype(np.uint8)
    values[~valid_pixels(dn, band.nodata)] = _NODATA
    return values


def _colors(opened: OpenScene, names: Sequence[str], grid: Grid, rasters: OpenRasters) -> Bytes:
    """(3, rows, columns) of brightness on the grid of the picture."""
    parts = {name: _part(opened, name, grid, rasters) for name in dict.fromkeys(names)}
    bands, grids = zip(*(parts[name] for name in names), strict=True)
    target = mercator_grid(grid)
    if grids.count(grids[0]) == len(grids):  # at once, which takes half the time
        return warped(np.stack(bands), grids[0], target, _NODATA)
    return np.concatenate(
        [warped(band[np.newaxis], own, target, _NODATA) for band, own in zip(bands, grids, strict=True)]
    )


def _part(opened: OpenScene, name: str, grid: Grid, rasters: OpenRasters) -> tuple[Bytes, Grid]:
    """Brightness of a band under `grid`, (rows, columns), and the grid on which it lies."""
    band, file = _band(opened, name, grid, rasters)
    dn, coarse = file.part(grid, _SLACK * grid.gsd * 2 ** halvings(grid) / file.grid.gsd)
    return brightness(dn, band), coarse


def _band(opened: OpenScene, name: str, grid: Grid, rasters: OpenRasters) -> tuple[Band, RasterFile]:
    """The band and its file: the job's own if it has that, else one to be fetched for the picture.

    Not the job's own remote file if all of it has to be fetched to find an overview: that is for one thread only.
    Raises BandNotFound also for a JPEG 2000 file that is not here, as all of it would have to be fetched.
    """
    own = opened.files.get(name)
    if own is not None and (own.layout is None or own.overviews or not halvings(grid)):
        return opened.bands[name], own
    check = opened.offset_check
    band = resolve_band(opened.scene, name, check.shift if check else Shift.UNDECIDED)
    if is_jpeg_2000(opened.scene.assets[band.asset]):
        raise BandNotFound(f"The band {name} of {band.scene_id} would have to be fetched whole.")
    (file,) = rasters.describe([band])
    return band, file
