"""Windows in, one Cloud Optimized GeoTIFF out, in a single pass.

The tiles of all levels wait on the disk. Readers of COGs want the directories first, but these can be written only when
all tiles are known: then directories and tiles are put together into the final file.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import rasterio
from rasterio.io import MemoryFile
from rasterio.windows import Window

from ..errors import ResultNotWritten
from ..gdal import GdalError, gdal_errors
from ..grids import Grid
from ..threads import kept_threads
from ..types import Compression, PixelArray, PixelFormat
from . import ifd
from .class_table import with_class_table
from .levels import BLOCK
from .pyramid import WINDOW, Pyramid
from .tiles import TileCodec, predictor_for


@dataclass(frozen=True, kw_only=True)
class WrittenCog:
    """A COG that was checked and is in place."""

    path: Path
    size: int
    sha256: str


class CogWriter:
    """Takes the windows of one band from any thread; `finish` makes the COG appear at `path`, whole or not at all.

    Used as a context manager, which removes every unfinished file whatever happens.

        with CogWriter(path, grid, pixel_format, tags) as cog:
            for window in cog.windows():
                cog.write(window, pixels)
            written = cog.finish()
    """

    def __init__(
        self,
        path: Path,
        grid: Grid,
        pixel_format: PixelFormat,
        tags: Mapping[str, str] | None = None,
        compression: Compression = "deflate",
    ) -> None:
        self._path, self._grid, self._format, self._tags = path, grid, pixel_format, tags or {}
        self._part_path = path.with_name(f".{path.name}.part")
        self._codec = _codec(pixel_format, compression)

    def __enter__(self) -> Self:
        try:
            self._pyramid = Pyramid.create(self._path, self._grid.shape, self._format, self._codec)
        except OSError as error:
            raise _not_written() from error
        return self

    def __exit__(self, *error: object) -> None:
        self._pyramid.remove()
        self._part_path.unlink(missing_ok=True)

    @property
    def window_count(self) -> int:
        return self._grid.window_count(WINDOW)

    def windows(self) -> Iterator[Window]:
        """The windows that the writer takes. In this order the fewest tiles wait in memory."""
        return self._grid.windows(WINDOW)

    def write(self, window: Window, pixels: PixelArray) -> None:
        """Take one of `windows()`: (rows, columns) in the dtype of the pixel format. Raises ResultNotWritten."""
        try:
            self._pyramid.add(int(window.row_off), int(window.col_off), pixels)
        except OSError as error:
            raise _not_written() from error

    def finish(self, band_tags: Mapping[str, str] | None = None) -> WrittenCog:
        """Put directories, overviews and tiles together, check them, and put the file in place.

        `band_tags` are those that are known only now. Raises ResultNotWritten.
        """
        if not self._pyramid.is_whole:
            raise _not_written()
        try:
            with gdal_errors():
                checksum = self._write_part(band_tags or {})
            size = self._part_path.stat().st_size
            self._part_path.replace(self._path)
        except (GdalError, OSError) as error:
            raise _not_written() from error
        return WrittenCog(path=self._path, size=size, sha256=checksum)

    def _write_part(self, band_tags: Mapping[str, str]) -> str:
        """Write the whole file under another name and check it. Returns its SHA-256."""
        with self._part_path.open("wb") as part:
            checksum = _write_hashed(part, self._pieces(band_tags))
        if not is_cog(self._part_path):
            raise _not_written()
        return checksum

    def _pieces(self, band_tags: Mapping[str, str]) -> Iterator[bytes | memoryview]:
        """The file from its beginning: directories, then the levels from the coarsest to the finest."""
        described = with_class_table(ifd.tags_of(self._empty_twin(band_tags)), self._format)
        layout = self._pyramid.layout()
        yield ifd.header(described, layout, self._codec.tiff_code, self._codec.predictor)
        yield from self._pyramid.pieces()

    def _empty_twin(self, band_tags: Mapping[str, str]) -> bytes:
        """A file without pixels, written by GDAL for its tags, which the COG takes over.

        No tag depends on the size, and GDAL writes no classic TIFF whose pixels would take more than 4 GiB.
        """
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff",
                width=BLOCK,
                height=BLOCK,
                count=1,
                dtype=self._format.dtype,
                crs=self._grid.crs,
                transform=self._grid.transform,
                nodata=self._format.nodata,
                tiled=True,
                blockxsize=BLOCK,
                blockysize=BLOCK,
                sparse_ok=True,
                bigtiff="NO",
            ) as twin:
                twin.scales, twin.offsets = (self._format.scale,), (self._format.offset,)
                twin.set_band_description(1, self._format.description)
                twin.update_tags(**self._tags)
                # GDAL writes category names into a side file, which a download loses. Tags and the table of classes
                # stay in the file.
                classes = {f"CLASS_{code}": name for code, name in enumerate(self._format.class_names)}
                twin.update_tags(1, **classes, **band_tags)
                if self._format.palette:
                    twin.write_colormap(1, dict(enumerate(self._format.palette)))
            return bytes(memory.getbuffer())


def write_cog(path: Path, grid: Grid, pixels: PixelArray, pixel_format: PixelFormat) -> WrittenCog:
    """Write a whole raster that is in memory: (rows, columns). Raises ResultNotWritten."""
    with CogWriter(path, grid, pixel_format) as cog:
        for window in cog.windows():
            cog.write(window, pixels[window.toslices()])
        return cog.finish()


def is_cog(path: Path) -> bool:
    """Whether the file is laid out as a COG: tiles, directories first, and overviews once it is larger than a tile."""
    with rasterio.open(path, driver="GTiff") as dataset:
        return (
            dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
            and max(dataset.block_shapes[0]) <= BLOCK
            and bool(max(dataset.shape) <= BLOCK or dataset.overviews(1))
        )


def _codec(pixel_format: PixelFormat, compression: Compression) -> TileCodec:
    predictor = predictor_for(pixel_format.dtype, has_palette=bool(pixel_format.palette))
    return TileCodec(compression=compression, predictor=predictor, mantissa_bits=pixel_format.mantissa_bits)


def _write_hashed(part: BinaryIO, pieces: Iterable[bytes | memoryview]) -> str:
    """Write the pieces and return their SHA-256, computed by another thread, which may be one piece behind."""
    digest = hashlib.sha256()
    with kept_threads(1) as hashing:
        before = hashing.submit(digest.update, b"")
        for piece in pieces:
            hashed = hashing.submit(digest.update, piece)
            part.write(piece)
            before.result()
            before = hashed
        before.result()
    return digest.hexdigest()


def _not_written() -> ResultNotWritten:
    return ResultNotWritten("The result could not be written whole; the disk of the service may be full.")
