"""The only file that opens the rasters of scenes to read."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.session import DummySession
from rasterio.windows import Window

from ..errors import RasterError, SceneTooLarge, SceneUnreadable
from ..files.local_copy import LocalCopy, runs
from ..files.ranges import Span
from ..grids.grid import Grid
from ..types import Band, Config, LocalFile, Mask, PixelArray, S3File, Source
from .block_layout import BlockLayout

# Whether a raster says where it lies is checked here, with an error of its own.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

# GDAL reports a full disk and a broken file by errors of two unrelated families.
GDAL_ERRORS = (RasterioError, CPLE_BaseError)

_GDAL_OPTIONS: dict[str, Any] = {
    "GDAL_CACHEMAX": 32 << 20,  # bytes
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}

# Limits that no scene of a catalogue comes near, and that a made-up file must not go beyond.
_MOST_BANDS = 64
_MOST_BLOCK_PIXELS = 16 << 20
_MOST_BLOCK_BYTES = 64 << 20
_PIXEL_METRES = (0.01, 100_000.0)
_DTYPES = ("uint8", "uint16", "int16", "float32")
_SIGNATURES = {
    "GTiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JP2OpenJPEG": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
}


def gdal_environment() -> rasterio.Env:
    """GDAL's settings for reading and writing. They hold for one thread: enter one in each."""
    return rasterio.Env(session=DummySession(), **_GDAL_OPTIONS)


def enter_gdal_environment() -> rasterio.Env:
    """GDAL's settings for the rest of a thread's life: to enter them for each read takes longer than a short read."""
    return gdal_environment().__enter__()


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
    """One raster, open to read. A remote one is read from its `copy`, to which what is needed is brought first."""

    def __init__(self, wanted: Band | Mask, config: Config, copy: LocalCopy | None = None) -> None:
        self.wanted, self._config, self._copy = wanted, config, copy
        self._path = copy.path if copy else _path(wanted.source)
        self._driver = _driver(wanted.source)
        self._form: _Form | None = None
        with named_errors(wanted):
            self.dataset, self._layout = self._open_with_layout()
        self._check(self.dataset)
        self._form = _Form.of(self.dataset)
        self.block_shape, self.dtype = self._form.block_shape, np.dtype(self._form.dtype)
        self.grid = Grid.of(self.dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.dataset.close()

    def again(self, *, located: bool) -> Self:
        """The same raster opened once more, with its CRS where `located`.

        GDAL is not asked for it otherwise: that takes longer than all else in a thread that never did it.
        """
        other = copy(self)
        with named_errors(self.wanted):
            other.dataset = self._open(**({} if located else {"GEOREF_SOURCES": "NONE"}))
        other._check(other.dataset, located=located)
        return other

    def overview(self, longest_side: int) -> PixelArray:
        """The whole raster at no more than that many rows and columns, from the overview that fits."""
        shrink = max(1.0, max(self.grid.shape) / longest_side)
        shape = tuple(max(1, int(side / shrink)) for side in self.grid.shape)
        with named_errors(self.wanted):
            if not self.dataset.overviews(1):
                self.bring_all()  # others than writers of COGs add them at the file's end
            fitting = [level for level, factor in enumerate(self.dataset.overviews(1)) if factor <= shrink]
            dataset, layout = self._open_with_layout(OVERVIEW_LEVEL=f"{fitting[-1]}only" if fitting else "NONE")
            with dataset:
                self._bring(layout.spans if layout else ())
                numbers: PixelArray = dataset.read(1, out_shape=shape)
                return numbers

    def fetches(self, rows: slice, columns: slice) -> Iterator[Callable[[], None]]:
        """What a host is to be asked for that part of the raster, each in a thread of its own."""
        for run in runs(self._spans(rows, columns)):
            yield partial(self._bring, run)

    def bring_all(self) -> None:
        """Have the whole file here, whoever reads what of it. Not for several threads. Raises what fetching does."""
        if self._copy and self._layout:
            with named_errors(self.wanted):
                self._copy.bring_all()
                self.dataset.close()
                self.dataset, self._layout = self._open(), None
            self._check(self.dataset)

    def _spans(self, rows: slice, columns: slice) -> Iterable[Span]:
        is_empty = rows.start == rows.stop or columns.start == columns.stop
        return self._layout.spans_of(rows, columns) if self._layout and not is_empty else ()

    def _bring(self, spans: Iterable[Span]) -> None:
        if self._copy:
            with named_errors(self.wanted):
                self._copy.bring(spans)

    def numbers(self, rows: slice, columns: slice) -> PixelArray:
        """A part of the raster as it stands in the file: (rows, columns)."""
        if rows.start == rows.stop or columns.start == columns.stop:
            return np.empty((0, 0), dtype=self.dtype)
        self._bring(self._spans(rows, columns))
        numbers: PixelArray = self.dataset.read(1, window=Window.from_slices(rows, columns))
        return numbers

    def _open_with_layout(self, **options: str) -> tuple[DatasetReader, BlockLayout | None]:
        """Open the file with as much of it here as tells where its blocks lie. Without a layout, all of it is here."""
        if self._copy and self._copy.begins_with(_SIGNATURES[self._driver]):
            if self._driver != "GTiff":
                self._copy.bring_all()
            while not self._copy.is_whole:
                if by_head := self._open_by_head(self._copy.size, **options):
                    return by_head
                self._copy.bring_more_head()
        return self._open(**options), None

    def _open_by_head(self, size: int, **options: str) -> tuple[DatasetReader, BlockLayout] | None:
        """None where what is here of a file of that size in bytes does not tell all about it."""
        with ExitStack() as unless_told:
            try:
                dataset = unless_told.enter_context(self._open(**options))
            except GDAL_ERRORS:
                return None
            _check_size(dataset, self.wanted, self._config)
            layout = BlockLayout.of(dataset)
            if layout is None or layout.stored_bytes > size or not _lies_somewhere(dataset):
                return None
            unless_told.pop_all()
            return dataset, layout

    def _open(self, **options: str) -> DatasetReader:
        return rasterio.open(self._path, driver=self._driver, sharing=False, **options)

    def _check(self, dataset: DatasetReader, *, located: bool = True) -> None:
        try:
            _check_size(dataset, self.wanted, self._config)
            if located and not _lies_somewhere(dataset):
                name, where = _named(self.wanted)
                raise SceneUnreadable(f"{name} does not say where on the ground it lies.", **where)
            self._check_form(dataset)
        except BaseException:
            dataset.close()
            raise

    def _check_form(self, dataset: DatasetReader) -> None:
        if self._form not in (None, _Form.of(dataset)):
            name, where = _named(self.wanted)
            raise SceneUnreadable(f"{name} was replaced while it was read. Submit the job again.", **where)


def _path(source: Source) -> Path:
    if not isinstance(source, LocalFile):
        raise TypeError("a remote raster is read from a copy")
    return source.path


def _driver(source: Source) -> str:
    """The one driver that may open the file: with a choice, GDAL would also open files that name other files."""
    match source:
        case LocalFile():
            name = source.path.name
        case S3File():
            name = source.key
        case _:
            name = urlsplit(source.url).path
    return "JP2OpenJPEG" if name.lower().endswith(".jp2") else "GTiff"


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


def _lies_somewhere(dataset: DatasetReader) -> bool:
    """Whether the file says where on the ground it lies."""
    if dataset.crs is None or dataset.transform.is_identity or dataset.transform.is_degenerate:
        return False
    return all(isfinite(term) for term in tuple(dataset.transform)[:6]) and _is_on_the_ground(dataset)


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
        name, where = _named(wanted)
        raise SceneUnreadable(f"{name} cannot be read as a GeoTIFF or JPEG 2000 image.", **where) from error
    except RasterError as error:
        error.details = {**_named(wanted)[1], **error.details}
        raise
