"""The only file that opens the rasters of scenes to read."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.session import Session
from rasterio.windows import Window

from .errors import ProviderUnavailable, RasterError, SceneTooLarge, SceneUnreadable
from .grid import Grid
from .remote import Opening, opening_of, s3_options
from .types import Band, Config, LocalFile, Mask, PixelArray, S3Access

# Whether a raster says where it lies is checked here, with an error of its own.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

# GDAL reports a full disk and a broken file by errors of two unrelated families.
GDAL_ERRORS = (RasterioError, CPLE_BaseError)

_GDAL_OPTIONS: dict[str, Any] = {
    "GDAL_CACHEMAX": 32 << 20,  # bytes
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

# Limits that no scene of a catalogue comes near, and that a made-up file must not go beyond.
_MOST_BANDS = 64
_MOST_BLOCK_PIXELS = 16 << 20
_MOST_BLOCK_BYTES = 64 << 20
_PIXEL_METRES = (0.01, 100_000.0)
_DTYPES = ("uint8", "uint16", "int16", "float32")
# What GDAL says of a host that may give the file another time; "got 0 bytes" is all it tells of a failed range.
_PASSING_FAULTS = ("response code: 5", "response code: 429", "CURL error", "timed out", "got 0 bytes")


def gdal_environment(config: Config) -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter one in each."""
    return rasterio.Env(session=_BucketSession(config.s3), **_GDAL_OPTIONS)


def enter_gdal_environment(config: Config) -> rasterio.Env:
    """GDAL's settings for the rest of a thread's life: to enter them for each read takes longer than a short read."""
    return gdal_environment(config).__enter__()


class _BucketSession(Session):  # type: ignore[misc]  # rasterio has no types
    """The only way by which rasterio lets credentials for buckets through."""

    def __init__(self, access: S3Access | None) -> None:
        self._options = s3_options(access)

    def get_credential_options(self) -> dict[str, str]:
        return dict(self._options)


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What must not change between two openings of a raster, as windows are planned by it."""

    shape: tuple[int, int]
    block_shape: tuple[int, int]
    dtype: str

    @classmethod
    def of(cls, dataset: DatasetReader) -> Self:
        return cls(shape=dataset.shape, block_shape=dataset.block_shapes[0], dtype=dataset.dtypes[0])


class RasterFile:
    """One raster, open to read. It is opened anew where the token in its URL runs out before the job is done.

    Where its `grid` is known, GDAL is not asked for it: that takes longer than all else in a thread that never did it.
    """

    def __init__(
        self, wanted: Band | Mask, config: Config, form: _Form | None = None, grid: Grid | None = None
    ) -> None:
        self.wanted, self._config, self._form = wanted, config, form
        self._is_located = grid is None
        self._opening, self._dataset = self._open()
        self._form = _Form.of(self._dataset)
        self.block_shape, self.dtype = self._form.block_shape, np.dtype(self._form.dtype)
        self.grid = grid or Grid.of(self._dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._dataset.close()

    def again(self, *, located: bool) -> "RasterFile":
        """The same raster opened once more, with its CRS where `located`."""
        return RasterFile(self.wanted, self._config, self._form, None if located else self.grid)

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
        with named_errors(self.wanted):
            numbers: PixelArray = self.dataset.read(1, out_shape=shape)
            return numbers

    def numbers(self, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster as it stands in the file: (rows, columns)."""
        if rows.start == rows.stop or columns.start == columns.stop:
            return np.empty((0, 0), dtype=self.dtype)
        numbers: PixelArray = self.dataset.read(1, window=Window.from_slices(rows, columns))
        return numbers

    def _open(self) -> tuple[Opening, DatasetReader]:
        with named_errors(self.wanted):
            opening = opening_of(self.wanted.source, self._config)
            located = {} if self._is_located else {"GEOREF_SOURCES": "NONE"}
            dataset = rasterio.open(opening.path, driver=_driver(opening.path), sharing=False, **located)
        try:
            _check_size(dataset, self.wanted, self._config)
            if self._is_located:
                _check_place(dataset, self.wanted)
            self._check_form(dataset)
        except BaseException:
            dataset.close()
            raise
        return opening, dataset

    def _check_form(self, dataset: DatasetReader) -> None:
        if self._form not in (None, _Form.of(dataset)):
            name, where = _named(self.wanted)
            raise SceneUnreadable(f"{name} was replaced while it was read. Submit the job again.", **where)


def _driver(path: str) -> str:
    """The one driver that may open the file: with a choice, GDAL would also open files that name other files."""
    return "JP2OpenJPEG" if urlsplit(path).path.lower().endswith(".jp2") else "GTiff"


def _check_size(dataset: DatasetReader, wanted: Band | Mask, config: Config) -> None:
    """Refuse what could not be read in bounded time and memory, before a pixel is read."""
    name, where = _named(wanted)
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


def _check_place(dataset: DatasetReader, wanted: Band | Mask) -> None:
    name, where = _named(wanted)
    transform = tuple(dataset.transform)[:6]
    lies_nowhere = dataset.crs is None or dataset.transform.is_identity or dataset.transform.is_degenerate
    if lies_nowhere or not all(isfinite(term) for term in transform) or not _is_on_the_ground(dataset):
        raise SceneUnreadable(f"{name} does not say where on the ground it lies.", **where)


def _named(wanted: Band | Mask) -> tuple[str, dict[str, str]]:
    """The file as messages call it, and the details of its errors."""
    return f"The file of {wanted.asset} of {wanted.scene_id}", {"scene_id": wanted.scene_id, "asset": wanted.asset}


def _is_on_the_ground(dataset: DatasetReader) -> bool:
    """Whether the CRS is one of maps or of degrees, and a pixel has a size that a sensor can have."""
    if not (dataset.crs.is_projected or dataset.crs.is_geographic):
        return False
    with suppress(ValueError, OverflowError):
        return _PIXEL_METRES[0] <= Grid.of(dataset).gsd <= _PIXEL_METRES[1]
    return False


@contextmanager
def named_errors(wanted: Band | Mask) -> Iterator[None]:
    """Whatever goes wrong with the file names its scene and asset."""
    try:
        yield
    except GDAL_ERRORS as error:
        raise _as_raster_error(error, wanted) from error
    except RasterError as error:
        error.details = {**_named(wanted)[1], **error.details}
        raise


def _as_raster_error(error: Exception, wanted: Band | Mask) -> RasterError:
    """A host that fails or is slow may recover; a file that is missing or broken will not."""
    causes = " ".join(_causes(error))
    name, where = _named(wanted)
    is_remote = not isinstance(wanted.source, LocalFile)
    if is_remote and any(sign in causes for sign in _PASSING_FAULTS):
        return ProviderUnavailable(f"{name} cannot be fetched at the moment. Try again later.", **where)
    return SceneUnreadable(f"{name} cannot be read as a GeoTIFF or JPEG 2000 image.", **where)


def _causes(error: BaseException | None) -> Iterator[str]:
    """What the error and all that led to it say."""
    while error is not None:
        yield str(error)
        error = error.__cause__
