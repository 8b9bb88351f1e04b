"""Small rasters, bands and jobs, and reading them as a job does."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
from processing.raster.reading import OpenRasters
from processing.raster.reading.raster_file import RasterFile
from processing.raster.reading.readers import SharedReader, band_reader_on
from processing.raster.types import (
    Band,
    BoolArray,
    Config,
    Float32Array,
    LocalFile,
    Mask,
    PixelArray,
    RasterJob,
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


def ndvi_job(original_id: str, **params: Any) -> RasterJob:
    scene_id = SceneId(provider="sentinel-2", original_id=original_id)
    return RasterJob(operation="ndvi", scene_ids=(scene_id,), params=NdviParams(**params))


def float_ndvi(
    red: npt.NDArray[np.float64], nir: npt.NDArray[np.float64], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """The index by its definition, in double precision. NaN if it is not valid or 0 / 0."""
    red, nir = red.clip(0), nir.clip(0)
    with np.errstate(invalid="ignore"):
        return np.where(valid & (nir + red > 0), (nir - red) / (nir + red), np.nan)


@contextmanager
def described(asked: Band | Mask, config: Config) -> Iterator[RasterFile]:
    """The description of one raster. The local copy of a remote one lies in a folder that is removed at the end."""
    with TemporaryDirectory() as folder, OpenRasters(config.network, config.limits, Path(folder)) as rasters:
        (raster,) = rasters.describe([asked])
        yield raster


def read_window(raster: RasterFile, on: Grid, window: Window) -> PixelArray:
    """DN of a band in a window of the grid `on`."""
    assert isinstance(raster.wanted, Band)
    with ExitStack() as opened:
        return SharedReader(band_reader_on(on, raster, raster.wanted.nodata, window), opened).read(window)


def read_dn(raster: RasterFile, rows: slice, columns: slice) -> PixelArray:
    """DN of a part of the raster."""
    with raster.open() as opened:
        return opened.dn(rows, columns)


def read_reflectance(raster: RasterFile, asked: Band, on: Grid, window: Window) -> tuple[Float32Array, BoolArray]:
    """Reflectance of a window of the grid `on`, and where it is valid."""
    dn = read_window(raster, on, window)
    return to_reflectance(dn, asked), valid_pixels(dn, asked.nodata)


def read_all(asked: Band, config: Config, on: Grid | None = None) -> tuple[Float32Array, BoolArray]:
    """Reflectance of the whole grid `on`, the raster's own by default, and where it is valid."""
    with described(asked, config) as raster:
        on = on or raster.grid
        return read_reflectance(raster, asked, on, Window(0, 0, on.width, on.height))


def random_dn(height: int, width: int, holes: float = 0.1, seed: int = 5) -> npt.NDArray[np.uint16]:
    """DN between 5000 and 9000. The share `holes` of them is 0, nodata."""
    random = np.random.default_rng(seed)
    dn = random.integers(5000, 9000, (height, width)).astype(np.uint16)
    dn[random.random(dn.shape) < holes] = 0
    return dn
