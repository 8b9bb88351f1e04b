"""The picture of a result: its own overview in its palette. Values without a palette are shown in one."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from ..grids import Grid
from ..operations import Operation
from ..params import Params
from . import png
from .mercator import halvings, mercator_grid, warped


def draw_preview(cog: Path, operation: Operation[Any], params: Params, picture: Path, most: int) -> None:
    """Write the picture of the result that `cog` holds, with at most so many pixels on its longer side."""
    shown = operation.shown_as(params)
    pixel_format, nodata = operation.pixel_format(shown), int(operation.pixel_format(shown).nodata)
    with rasterio.open(cog, driver="GTiff") as whole:
        grid = coarse = Grid.of(whole)
        count = min(halvings(grid, most), len(whole.overviews(1)))
        if count == 0:
            dn = whole.read(1)
    if count > 0:
        with rasterio.open(cog, driver="GTiff", OVERVIEW_LEVEL=f"{count - 1}only") as overview:
            dn, coarse = overview.read(1), Grid.of(overview)
    if not operation.pixel_format(params).palette:
        dn = operation.encode(shown, dn)
    (shown_dn,) = warped(dn[np.newaxis], coarse, mercator_grid(grid, most), nodata)
    palette = [*pixel_format.palette, *[(0, 0, 0, 0)] * (256 - len(pixel_format.palette))]
    png.write_indexed(picture, shown_dn, [*palette[:nodata], (0, 0, 0, 0), *palette[nodata + 1 :]])
