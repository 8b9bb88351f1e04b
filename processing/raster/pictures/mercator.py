"""The grid of a picture in web mercator (EPSG:3857), and pixels warped onto it."""

from math import ceil, cos, pi, radians, tan
from math import log as ln

import numpy as np
import numpy.typing as npt
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from ..grids import Grid

MOST_PIXELS = 2048  # of a picture's longer side
_RADIUS = 6_378_137.0  # metres
_TOLERANCE_PIXELS = 0.01  # of the straight lines by which GDAL shortens the way from one map to the other


def halvings(grid: Grid, most: int = MOST_PIXELS) -> int:
    """How often the grid is halved until a picture can show each of its pixels."""
    return max(0, (ceil(max(grid.shape) / most) - 1).bit_length())


def mercator_grid(grid: Grid, most: int = MOST_PIXELS) -> Grid:
    """The grid of a picture: the bounds of `grid` in longitude and latitude, in pixels as large as its halved ones.

    Its map is web mercator around the middle of `grid`, so that the antimeridian cuts nothing.
    """
    west, south, east, north = grid.footprint.bounds
    left, right, bottom, top = 0.0, _RADIUS * radians(east - west), _northing(south), _northing(north)
    pixel = grid.gsd * 2 ** halvings(grid, most) / cos(radians((south + north) / 2))
    pixel = max(pixel, (right - left) / most, (top - bottom) / most)
    width, height = (max(1, min(most, round(side / pixel))) for side in (right - left, top - bottom))
    middle = (right - left) / 2
    return Grid(
        crs=CRS.from_string(f"+proj=webmerc +lon_0={(west + east) / 2} +datum=WGS84 +units=m"),
        transform=Affine((right - left) / width, 0, left - middle, 0, (bottom - top) / height, top),
        width=width,
        height=height,
    )


def warped(pixels: npt.NDArray[np.uint8], grid: Grid, target: Grid, nodata: int) -> npt.NDArray[np.uint8]:
    """The pixels of `grid`, (bands, rows, columns), on the grid of the picture: each the nearest one."""
    bands, rows, columns = pixels.shape
    form = {"driver": "GTiff", "count": bands, "height": rows, "width": columns, "dtype": "uint8", "nodata": nodata}
    with MemoryFile() as memory:
        with memory.open(crs=grid.crs, transform=grid.transform, **form) as source:
            source.write(pixels)
        with (
            memory.open() as source,
            WarpedVRT(
                source,
                crs=target.crs,
                transform=target.transform,
                width=target.width,
                height=target.height,
                resampling=Resampling.nearest,
                tolerance=_TOLERANCE_PIXELS,
            ) as picture,
        ):
            on_target: npt.NDArray[np.uint8] = picture.read()
            return on_target


def _northing(latitude: float) -> float:
    return _RADIUS * ln(tan(pi / 4 + radians(latitude) / 2))
