"""The only file that opens a raster to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from .errors import ProviderUnavailable, RasterError, SceneTooLarge, SceneUnreadable
from .grid import Grid
from .network import ForbiddenAddress, check_url
from .types import Band, BoolArray, Config, Float32Array, LocalFile, PixelArray, Source

# GDAL reports a full disk and a broken file by errors of two unrelated families.
GDAL_ERRORS = (RasterioError, CPLE_BaseError)

_GDAL_OPTIONS: dict[str, Any] = {
    "GDAL_CACHEMAX": 128 << 20,  # bytes
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_CONNECTTIMEOUT": "5",
    "GDAL_HTTP_TIMEOUT": "30",
    "GDAL_HTTP_LOW_SPEED_TIME": "20",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "0.5",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "NO",
    "GDAL_HTTP_NETRC": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff,.TIF,.TIFF",
    "CPL_VSIL_CURL_AUTHORIZATION_HEADER_ALLOWED_IF_REDIRECT": "IF_SAME_HOST",
}

# Where the source's pixels are this much smaller than the grid's, an average uses them all and bilinear would not.
_SHRINKS = 2.0
_SATURATED = np.iinfo(np.uint16).max


def gdal_environment() -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter one in each."""
    return rasterio.Env(**_GDAL_OPTIONS)


class BandReader:
    """One band of a scene, read window by window as reflectance on `grid`, whatever grid the file has.

    A file on the same grid is read as it is. Any other is resampled, and nodata is never blended into data.
    """

    def __init__(self, band: Band, dataset: DatasetReader, grid: Grid) -> None:
        self.band = band
        self._dataset = dataset if Grid.of(dataset).matches(grid) else _warped(dataset, grid, band.nodata)

    def read(self, window: Window) -> tuple[Float32Array, BoolArray]:
        """Reflectance (rows, columns), clipped at 0, and where it is valid. Raises SceneUnreadable."""
        with _named_errors(self.band.scene_id, self.band.asset):
            numbers = self._dataset.read(1, window=window)
        return to_reflectance(numbers, self.band), valid_pixels(numbers, self.band.nodata)


@contextmanager
def open_band(band: Band, config: Config) -> Iterator[DatasetReader]:
    """The band's file. Raises SceneUnreadable, SceneTooLarge or ProviderUnavailable."""
    with _named_errors(band.scene_id, band.asset):
        dataset = rasterio.open(_location(band.source, config), driver="GTiff", sharing=False)
    with dataset:
        _check_dataset(dataset, band, config)
        yield dataset


def to_reflectance(numbers: PixelArray, band: Band) -> Float32Array:
    """DN x scale + offset as float32, clipped at 0, to float32's own precision.

    Written as (DN + offset / scale) x scale: where the shift is a whole number, as it is for Sentinel-2, the sum is
    exact in float32, while adding the offset to the product would lose the digits of dark pixels. Any other shift is
    added in float64.
    """
    shift = band.offset / band.scale
    whole = round(shift)
    exact = abs(shift - whole) < 1e-6
    shifted = np.add(numbers, whole if exact else shift, dtype=np.float32 if exact else np.float64)
    np.maximum(shifted, 0, out=shifted)
    return np.multiply(shifted, band.scale, out=shifted).astype(np.float32, copy=False)


def valid_pixels(numbers: PixelArray, nodata: float) -> BoolArray:
    """Where the numbers are data: not nodata, not saturated, not NaN."""
    valid: BoolArray = numbers != nodata
    if numbers.dtype == np.uint16:
        valid &= numbers != _SATURATED
    elif numbers.dtype.kind == "f":
        valid &= np.isfinite(numbers)
    return valid


def resampling_for(source: Grid, target: Grid) -> Resampling:
    """Average where the target's pixels are at least twice as large as the source's, else bilinear."""
    return Resampling.average if target.gsd >= _SHRINKS * source.gsd else Resampling.bilinear


def _warped(dataset: DatasetReader, grid: Grid, nodata: float) -> WarpedVRT:
    return WarpedVRT(
        dataset,
        crs=grid.crs,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=resampling_for(Grid.of(dataset), grid),
        src_nodata=nodata,
        nodata=nodata,
        dtype="float32",  # interpolated numbers fall between whole ones
    )


def _location(source: Source, config: Config) -> str:
    if isinstance(source, LocalFile):
        return str(source.path)
    try:
        check_url(source.url, config.private_hosts)
    except ForbiddenAddress as error:
        raise SceneUnreadable(f"The catalogue names a file that may not be read: {error}") from error
    return f"/vsicurl/{source.url}"


def _check_dataset(dataset: DatasetReader, band: Band, config: Config) -> None:
    if dataset.width * dataset.height > config.max_pixels:
        raise SceneTooLarge(
            f"Band {band.name} of {band.scene_id} has {dataset.width} x {dataset.height} pixels; "
            f"this service reads up to {config.max_pixels:.3g}.",
            scene_id=band.scene_id,
            band=band.name,
        )
    if dataset.crs is None or dataset.transform.is_identity:
        raise SceneUnreadable(
            f"The file of band {band.name} of {band.scene_id} does not say where on the ground it lies.",
            scene_id=band.scene_id,
            band=band.name,
        )


@contextmanager
def _named_errors(scene_id: str, asset: str) -> Iterator[None]:
    try:
        yield
    except GDAL_ERRORS as error:
        raise _as_raster_error(error, scene_id, asset) from error


def _as_raster_error(error: Exception, scene_id: str, asset: str) -> RasterError:
    """A host that fails or is slow may recover; a file that is missing or broken will not."""
    chain: list[BaseException] = [error]
    while cause := chain[-1].__cause__:
        chain.append(cause)
    causes = " ".join(map(str, chain))
    temporary = any(
        sign in causes for sign in ("response code: 5", "response code: 429", "CURL error", "timed out", "got 0 bytes")
    )
    if temporary:
        return ProviderUnavailable(
            f"The file of {asset} of {scene_id} cannot be fetched at the moment.",
            scene_id=scene_id,
            asset=asset,
        )
    return SceneUnreadable(
        f"The file of {asset} of {scene_id} cannot be read as a GeoTIFF.", scene_id=scene_id, asset=asset
    )
