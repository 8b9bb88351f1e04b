"""The only file that opens the rasters of scenes to read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.session import Session
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from .errors import ProviderUnavailable, RasterError, SceneTooLarge, SceneUnreadable
from .grid import Grid, Line, window_at
from .remote import Opening, opening_of, s3_options
from .resampling import Axis, average, bilinear, nearest
from .types import Band, BoolArray, Config, Float32Array, LocalFile, Mask, PixelArray, S3Access

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
    "GDAL_INGESTED_BYTES_AT_OPEN": "65536",  # the head of most COGs, in one request
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff,.TIF,.TIFF,.jp2",
    "CPL_AWS_AUTODETECT_EC2": "NO",
    "CPL_VSIL_CURL_AUTHORIZATION_HEADER_ALLOWED_IF_REDIRECT": "IF_SAME_HOST",
}

# Where the source's pixels are this much smaller than the grid's, an average uses them all and bilinear would not.
_SHRINKS = 2.0
_ALIKE = 0.01
# How far, in pixels, the straight lines by which GDAL shortens reprojection may miss.
_TOLERANCE_PIXELS = 0.01
_TILE = 256
# Limits that no scene of a catalogue comes near, and that a made-up file must not go beyond.
_MOST_BANDS = 64
_MOST_BLOCK_PIXELS = 16 << 20
_MOST_BLOCK_BYTES = 64 << 20
_PIXEL_METRES = (0.01, 100_000.0)
_DTYPES = ("uint8", "uint16", "int16", "float32")
# What GDAL says of a host that may give the file another time; "got 0 bytes" is all it tells of a failed range.
_PASSING_FAULTS = ("response code: 5", "response code: 429", "CURL error", "timed out", "got 0 bytes")
# Near a saturated pixel the warper's numbers are higher than those of all but the brightest clouds.
_BRIGHT = 10_000
_SATURATED = np.iinfo(np.uint16).max


def gdal_environment(config: Config) -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter one in each."""
    return rasterio.Env(session=_BucketSession(config.s3), **_GDAL_OPTIONS)


class _BucketSession(Session):  # type: ignore[misc]  # rasterio has no types
    """The only way by which rasterio lets credentials for buckets through."""

    def __init__(self, access: S3Access | None) -> None:
        self._options = s3_options(access)

    def get_credential_options(self) -> dict[str, str]:
        return dict(self._options)


class RasterFile:
    """One raster, open to read. It is opened anew where the token in its URL runs out before the job is done."""

    def __init__(self, wanted: Band | Mask, config: Config) -> None:
        self.wanted, self._config = wanted, config
        self._opening, self._dataset = self._open()
        self.grid = Grid.of(self._dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._dataset.close()

    @property
    def dataset(self) -> DatasetReader:
        if time.time() >= self._opening.valid_until:
            self._dataset.close()
            self._opening, self._dataset = self._open()
        return self._dataset

    def overview(self, longest_side: int) -> PixelArray:
        """The whole raster at no more than that many rows and columns, from the overview that fits."""
        shrink = max(1.0, max(self.grid.shape) / longest_side)
        shape = tuple(max(1, int(side / shrink)) for side in self.grid.shape)
        with _named_errors(self.wanted):
            numbers: PixelArray = self.dataset.read(1, out_shape=shape)
            return numbers

    def numbers(self, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster as it stands in the file: (rows, columns)."""
        if rows.start == rows.stop or columns.start == columns.stop:
            return np.empty((0, 0), dtype=self._dataset.dtypes[0])
        numbers: PixelArray = self.dataset.read(1, window=Window.from_slices(rows, columns))
        return numbers

    def _open(self) -> tuple[Opening, DatasetReader]:
        with _named_errors(self.wanted):
            opening = opening_of(self.wanted.source, self._config)
            dataset = rasterio.open(opening.path, driver=_driver(opening.path), sharing=False)
        try:
            _check_dataset(dataset, self.wanted, self._config)
        except RasterError:
            dataset.close()
            raise
        return opening, dataset


class _OnGrid:
    """Windows of `grid` from a file, in the way that fits how the two lie to each other.

    Straight where the file's pixels lie on the grid; by our own arithmetic where rows and columns run alike; else by
    GDAL's warper.
    """

    def __init__(self, file: RasterFile, grid: Grid, resampling: Resampling, nodata: float | None) -> None:
        self._file, self._grid, self._resampling, self._nodata = file, grid, resampling, nodata
        self._offset = grid.offset_in(file.grid)
        self._axes = grid.axes_on(file.grid)
        self._warped_dataset: DatasetReader | None = None
        self._warps: dict[Resampling, WarpedVRT] = {}

    def read(self, window: Window) -> PixelArray:
        """(rows, columns) numbers. Raises SceneUnreadable or ProviderUnavailable."""
        with _named_errors(self._file.wanted):
            if self._offset is not None:
                return self._file.numbers(*window_at(window, self._offset).toslices())
            if self._axes is not None:
                return self._interpolated(*self._axes, window)
            return self._warp(window)

    def _interpolated(self, column_line: Line, row_line: Line, window: Window) -> PixelArray:
        rows, columns = (
            Axis.between(line.first, line.step, part.start, part.stop, size)
            for line, part, size in zip((row_line, column_line), window.toslices(), self._file.grid.shape, strict=True)
        )
        numbers = self._file.numbers(rows.needed, columns.needed)
        if self._nodata is None:
            return nearest(numbers, rows, columns, outside=0)
        combine = average if self._resampling == Resampling.average else bilinear
        return combine(numbers, valid_pixels(numbers, self._nodata), rows, columns, self._nodata)

    def _warp(self, window: Window) -> PixelArray:
        numbers = _in_tiles(self._warped(self._resampling), window)
        may_be_saturated = self._file.dataset.dtypes[0] == "uint16" and self._nodata is not None
        if may_be_saturated and numbers.max() > _BRIGHT:
            numbers[self._near_saturated(window)] = self._nodata
        return numbers

    def _near_saturated(self, window: Window) -> BoolArray:
        """Where the warper, which does not know of saturated pixels, may have blended them in: they and all around."""
        rows, columns = window.toslices()
        top, left = max(0, rows.start - 1), max(0, columns.start - 1)
        bottom, right = min(self._grid.height, rows.stop + 1), min(self._grid.width, columns.stop + 1)
        wider = Window.from_slices((top, bottom), (left, right))
        saturated = _in_tiles(self._warped(Resampling.max), wider) == _SATURATED
        around = np.pad(saturated, 1)
        near: BoolArray = np.logical_or.reduce(
            [around[i : i + len(saturated), j : j + saturated.shape[1]] for i in range(3) for j in range(3)]
        )
        near = near[rows.start - top :, columns.start - left :]
        return near[: rows.stop - rows.start, : columns.stop - columns.start]

    def _warped(self, resampling: Resampling) -> WarpedVRT:
        dataset = self._file.dataset
        if self._warped_dataset is not dataset:
            self._warped_dataset, self._warps = dataset, {}
        if resampling not in self._warps:
            self._warps[resampling] = _warped(dataset, self._grid, resampling, self._nodata)
        return self._warps[resampling]


class BandReader(_OnGrid):
    """One band of a scene on `grid`, whatever grid the file has.

    A file whose pixels lie on the grid is read as it is. Any other is resampled, and nodata is never blended into data.
    """

    def __init__(self, band: Band, file: RasterFile, grid: Grid) -> None:
        super().__init__(file, grid, resampling_for(file.grid, grid), band.nodata)


class MaskReader(_OnGrid):
    """A scene's own mask on `grid`, by nearest neighbour: classes are never blended."""

    def __init__(self, mask: Mask, file: RasterFile, grid: Grid) -> None:
        super().__init__(file, grid, Resampling.nearest, None)


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
    """Average where the target's pixels are at least (nearly) twice as large as the source's, else bilinear."""
    shrinks = target.gsd >= _SHRINKS * source.gsd * (1 - _ALIKE)
    return Resampling.average if shrinks else Resampling.bilinear


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


def _in_tiles(warped: WarpedVRT, window: Window) -> PixelArray:
    """GDAL approximates the way between two CRSs anew for each read: the same tiles always give the same pixels."""
    rows, columns = window.toslices()
    top, left = rows.start // _TILE * _TILE, columns.start // _TILE * _TILE
    tiles = [
        [
            warped.read(
                1, window=Window(column, row, min(_TILE, warped.width - column), min(_TILE, warped.height - row))
            )
            for column in range(left, columns.stop, _TILE)
        ]
        for row in range(top, rows.stop, _TILE)
    ]
    return np.block(tiles)[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _driver(path: str) -> str:
    """The one driver that may open the file: with a choice, GDAL would also open files that name other files."""
    return "JP2OpenJPEG" if urlsplit(path).path.lower().endswith(".jp2") else "GTiff"


def _check_dataset(dataset: DatasetReader, wanted: Band | Mask, config: Config) -> None:
    """Refuse what could not be read in bounded time and memory, before a pixel is read."""
    where = {"scene_id": wanted.scene_id, "asset": wanted.asset}
    name = f"The file of {wanted.asset} of {wanted.scene_id}"
    if dataset.width * dataset.height > config.max_pixels:
        size = f"{dataset.width} x {dataset.height} pixels"
        raise SceneTooLarge(f"{name} has {size}; this service reads up to {config.max_pixels:.3g}.", **where)
    if dataset.dtypes[0] not in _DTYPES:
        raise SceneUnreadable(f"{name} holds {dataset.dtypes[0]} numbers, which no reflectance has.", **where)
    rows, columns = dataset.block_shapes[0]
    # Bands that lie pixel by pixel beside each other are unpacked together.
    together = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    block_bytes = rows * columns * np.dtype(dataset.dtypes[0]).itemsize * together
    if dataset.count > _MOST_BANDS or rows * columns > _MOST_BLOCK_PIXELS or block_bytes > _MOST_BLOCK_BYTES:
        layout = f"{dataset.count} bands in blocks of {columns} x {rows} pixels"
        raise SceneTooLarge(f"{name} has {layout}, which cannot be read window by window.", **where)
    transform = tuple(dataset.transform)[:6]
    lies_nowhere = dataset.crs is None or dataset.transform.is_identity or dataset.transform.is_degenerate
    if lies_nowhere or not all(isfinite(term) for term in transform) or not _is_on_the_ground(dataset):
        raise SceneUnreadable(f"{name} does not say where on the ground it lies.", **where)


def _is_on_the_ground(dataset: DatasetReader) -> bool:
    """Whether the CRS is one of maps or of degrees, and a pixel has a size that a sensor can have."""
    if not (dataset.crs.is_projected or dataset.crs.is_geographic):
        return False
    with suppress(ValueError, OverflowError):
        return _PIXEL_METRES[0] <= Grid.of(dataset).gsd <= _PIXEL_METRES[1]
    return False


@contextmanager
def _named_errors(wanted: Band | Mask) -> Iterator[None]:
    """Whatever goes wrong with the file names its scene and asset."""
    try:
        yield
    except GDAL_ERRORS as error:
        raise _as_raster_error(error, wanted) from error
    except RasterError as error:
        error.details = {"scene_id": wanted.scene_id, "asset": wanted.asset, **error.details}
        raise


def _as_raster_error(error: Exception, wanted: Band | Mask) -> RasterError:
    """A host that fails or is slow may recover; a file that is missing or broken will not."""
    causes = " ".join(_causes(error))
    where = {"scene_id": wanted.scene_id, "asset": wanted.asset}
    name = f"The file of {wanted.asset} of {wanted.scene_id}"
    is_remote = not isinstance(wanted.source, LocalFile)
    if is_remote and any(sign in causes for sign in _PASSING_FAULTS):
        return ProviderUnavailable(f"{name} cannot be fetched at the moment. Try again later.", **where)
    return SceneUnreadable(f"{name} cannot be read as a GeoTIFF or JPEG 2000 image.", **where)


def _causes(error: BaseException | None) -> Iterator[str]:
    """What the error and all that led to it say."""
    while error is not None:
        yield str(error)
        error = error.__cause__
