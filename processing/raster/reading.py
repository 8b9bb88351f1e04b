"""The only file that opens a raster to read."""

from collections.abc import Callable, Iterator
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
from .masks import clear_pixels
from .network import ForbiddenAddress, check_url
from .types import Band, BoolArray, Config, Float32Array, LocalFile, Mask, PixelArray, Source

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
_ALIKE = 0.01
# How far, in pixels, the straight lines by which GDAL shortens reprojection may miss.
_TOLERANCE_PIXELS = 0.01
_SATURATED = np.iinfo(np.uint16).max


def gdal_environment() -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter one in each."""
    return rasterio.Env(**_GDAL_OPTIONS)


class BandReader:
    """One band of a scene, read window by window as reflectance on `grid`, whatever grid the file has.

    A file whose pixels lie on the grid is read as it is. Any other is resampled, and nodata is never blended into data.
    """

    def __init__(self, band: Band, dataset: DatasetReader, grid: Grid) -> None:
        self.band = band
        self._read = _on_grid(dataset, grid, resampling_for(Grid.of(dataset), grid), band.nodata)

    def read(self, window: Window) -> tuple[Float32Array, BoolArray]:
        """Reflectance (rows, columns), clipped at 0, and where it is valid. Raises SceneUnreadable."""
        with _named_errors(self.band.scene_id, self.band.asset):
            numbers = self._read(window)
        return to_reflectance(numbers, self.band), valid_pixels(numbers, self.band.nodata)


class MaskReader:
    """A scene's own mask on `grid`, by nearest neighbour: classes are never blended."""

    def __init__(self, mask: Mask, dataset: DatasetReader, grid: Grid) -> None:
        self.mask = mask
        self._read = _on_grid(dataset, grid, Resampling.nearest, None)

    def read(self, window: Window) -> BoolArray:
        """Where the ground is seen: (rows, columns). Raises SceneUnreadable."""
        with _named_errors(self.mask.scene_id, self.mask.asset):
            return clear_pixels(self._read(window), self.mask.kind)


@contextmanager
def open_raster(wanted: Band | Mask, config: Config) -> Iterator[DatasetReader]:
    """The file of a band or a mask. Raises SceneUnreadable, SceneTooLarge or ProviderUnavailable."""
    with _named_errors(wanted.scene_id, wanted.asset):
        dataset = rasterio.open(_location(wanted.source, config), driver="GTiff", sharing=False)
    with dataset:
        _check_dataset(dataset, wanted, config)
        yield dataset


def to_reflectance(numbers: PixelArray, band: Band) -> Float32Array:
    """DN x scale + offset as float32, clipped at 0, to float32's own precision.

    Written as (DN + offset / scale) / (1 / scale): where both are whole numbers, as they are for Sentinel-2, the sum is
    exact in float32 and the quotient is the float32 nearest to the true reflectance, while adding the offset to the
    product would lose the digits of dark pixels. Other numbers are worked out in float64.
    """
    shift, divisor = band.offset / band.scale, 1 / band.scale
    exact = abs(shift - round(shift)) < 1e-6 and abs(divisor - round(divisor)) < 1e-6
    if exact:
        shift, divisor = round(shift), round(divisor)
    shifted = np.add(numbers, shift, dtype=np.float32 if exact else np.float64)
    np.maximum(shifted, 0, out=shifted)
    return np.divide(shifted, divisor, out=shifted).astype(np.float32, copy=False)


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
    shrinks = target.gsd >= _SHRINKS * source.gsd * (1 - _ALIKE)
    return Resampling.average if shrinks else Resampling.bilinear


def _on_grid(
    dataset: DatasetReader, grid: Grid, resampling: Resampling, nodata: float | None
) -> Callable[[Window], PixelArray]:
    """A function that reads a window of `grid` from the file: straight where it can, else resampled."""
    offset = grid.offset_in(Grid.of(dataset))
    if offset is None:
        warped = _warped(dataset, grid, resampling, nodata)
        return lambda window: warped.read(1, window=window)
    columns, rows = offset
    return lambda window: dataset.read(
        1, window=Window(window.col_off + columns, window.row_off + rows, window.width, window.height)
    )


def _warped(dataset: DatasetReader, grid: Grid, resampling: Resampling, nodata: float | None) -> WarpedVRT:
    # Where pixels are about as large, GDAL would widen the kernel by the odd thousandth and need twice the time.
    alike = abs(Grid.of(dataset).gsd / grid.gsd - 1) < _ALIKE
    return WarpedVRT(
        dataset,
        crs=grid.crs,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=resampling,
        src_nodata=nodata,
        nodata=nodata,
        # Interpolated numbers fall between whole ones; classes stay what they are.
        dtype=dataset.dtypes[0] if resampling == Resampling.nearest else "float32",
        tolerance=_TOLERANCE_PIXELS,
        **({"XSCALE": "1", "YSCALE": "1"} if alike else {}),
    )


def _location(source: Source, config: Config) -> str:
    if isinstance(source, LocalFile):
        return str(source.path)
    try:
        check_url(source.url, config.private_hosts)
    except ForbiddenAddress as error:
        raise SceneUnreadable(f"The catalogue names a file that may not be read: {error}") from error
    return f"/vsicurl/{source.url}"


def _check_dataset(dataset: DatasetReader, wanted: Band | Mask, config: Config) -> None:
    where = {"scene_id": wanted.scene_id, "asset": wanted.asset}
    if dataset.width * dataset.height > config.max_pixels:
        raise SceneTooLarge(
            f"The file of {wanted.asset} of {wanted.scene_id} has {dataset.width} x {dataset.height} pixels; "
            f"this service reads up to {config.max_pixels:.3g}.",
            **where,
        )
    if dataset.crs is None or dataset.transform.is_identity:
        raise SceneUnreadable(
            f"The file of {wanted.asset} of {wanted.scene_id} does not say where on the ground it lies.", **where
        )


@contextmanager
def _named_errors(scene_id: str, asset: str) -> Iterator[None]:
    try:
        yield
    except GDAL_ERRORS as error:
        raise _as_raster_error(error, scene_id, asset) from error


def _as_raster_error(error: Exception, scene_id: str, asset: str) -> RasterError:
    """A host that fails or is slow may recover; a file that is missing or broken will not."""
    causes = f"{error} {error.__cause__ or ''}"
    temporary = any(sign in causes for sign in ("response code: 5", "response code: 429", "CURL error", "timed out"))
    if temporary:
        return ProviderUnavailable(
            f"The file of {asset} of {scene_id} cannot be fetched at the moment.",
            scene_id=scene_id,
            asset=asset,
        )
    return SceneUnreadable(
        f"The file of {asset} of {scene_id} cannot be read as a GeoTIFF.", scene_id=scene_id, asset=asset
    )
