"""Small rasters, bands and requests for the tests of this folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster.grids.grid import Grid
from processing.raster.operations.ndvi import NdviParams
from processing.raster.radiometry.reflectance import to_reflectance, valid_pixels
from processing.raster.reading.on_grid import BandReader
from processing.raster.reading.open_rasters import OpenRasters
from processing.raster.reading.raster_file import RasterFile
from processing.raster.types import (
    Band,
    BoolArray,
    Config,
    Float32Array,
    LocalFile,
    PixelArray,
    Request,
    SceneId,
    Source,
)

WEST, NORTH = 600_000.0, 4_700_000.0


def grid(width: int, height: int, metres: float = 10.0, epsg: int | None = 32619) -> Grid:
    crs = None if epsg is None else CRS.from_epsg(epsg)
    return Grid(crs=crs, transform=Affine(metres, 0, WEST, 0, -metres, NORTH), width=width, height=height)


def write_tif(path: Path, pixels: PixelArray, on: Grid | None = None, **options: Any) -> Path:
    """A plain file of one band: a GeoTIFF, unless `driver` is another."""
    on = on or grid(pixels.shape[1], pixels.shape[0])
    shape = {"width": on.width, "height": on.height, "count": 1, "dtype": pixels.dtype}
    place = {"crs": on.crs, "transform": on.transform}
    with rasterio.open(path, "w", **{"driver": "GTiff", **place, **shape, **options}) as file:
        file.write(pixels, 1)
    return path


def read_tif(path: Path) -> npt.NDArray[Any]:
    with rasterio.open(path) as file:
        pixels: npt.NDArray[Any] = file.read(1)
        return pixels


def band(source: Source | Path, *, scale: float = 1.0, offset: float = 0.0, nodata: float = 0.0) -> Band:
    return Band(
        scene_id="sentinel-2:a-scene",
        name="red",
        asset="red",
        source=LocalFile(path=source) if isinstance(source, Path) else source,
        scale=scale,
        offset=offset,
        offset_reason="declared",
        nodata=nodata,
    )


def ndvi_request(original_id: str, **params: Any) -> Request:
    scene_id = SceneId(provider="sentinel-2", original_id=original_id)
    return Request(operation="ndvi", scene_ids=(scene_id,), params=NdviParams(**params))


def float_ndvi(
    red: npt.NDArray[np.float64], nir: npt.NDArray[np.float64], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """The index as its definition says, in double precision: NaN where it is not valid or 0 / 0."""
    red, nir = red.clip(0), nir.clip(0)
    with np.errstate(invalid="ignore"):
        return np.where(valid & (nir + red > 0), (nir - red) / (nir + red), np.nan)


@contextmanager
def opened(asked: Band, config: Config) -> Iterator[RasterFile]:
    """One raster, open as in a job; a remote one with its copy in a folder that is empty again at the end."""
    with TemporaryDirectory() as folder, OpenRasters(config, Path(folder)) as rasters:
        yield rasters.open_all({asked.name: asked})[asked.name]


def read_reflectance(file: RasterFile, asked: Band, on: Grid, window: Window) -> tuple[Float32Array, BoolArray]:
    """Reflectance of a window of the grid `on`, and where it is valid."""
    numbers = BandReader(asked, file, on).read(window)
    return to_reflectance(numbers, asked), valid_pixels(numbers, asked.nodata)
