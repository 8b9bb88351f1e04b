"""Windows in, one Cloud Optimized GeoTIFF out, in a single pass.

The tiles of all levels wait on the disk. Readers of COGs want the directories first, but these can be written only when
all tiles are known: then directories and tiles are put together into the final file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import rasterio
from rasterio.io import MemoryFile
from rasterio.windows import Window

from ..errors import ResultNotWritten
from ..gdal import GdalError, gdal_errors
from ..grids import Grid
from ..types import Compression, PixelArray, PixelFormat
from . import ifd
from .class_table import with_class_table
from .hashed_file import HashedFile
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
            cog.write_overviews()
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
        self._part = HashedFile(path.with_name(f".{path.name}.part"))
        self._codec = _codec(pixel_format, compression)

    def __enter__(self) -> Self:
        try:
            self._pyramid = Pyramid.create(self._path, self._grid.shape, self._format, self._codec)
        except OSError as error:
            raise _not_written() from error
        return self

    def __exit__(self, *error: object) -> None:
        self._pyramid.remove()
        self._part.remove()

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

    def write_overviews(self, band_tags: Mapping[str, str] | None = None) -> Path:
        """Begin the file, once all windows are written: its directories, then its overviews.

        `band_tags` are those that are known only now. Returns the name that the file has until it is finished: its
        overviews can be read from now on. Raises ResultNotWritten.
        """
        if not self._pyramid.is_whole:
            raise _not_written()
        try:
            with gdal_errors():
                self._part.write([self._header(band_tags or {})])
            self._part.write(self._pyramid.overview_pieces())
        except (GdalError, OSError) as error:
            raise _not_written() from error
        return self._part.path

    def finish(self) -> WrittenCog:
        """Add the tiles of full resolution, check the file, and put it in place. Raises ResultNotWritten."""
        try:
            self._part.write(self._pyramid.pieces())
            checksum, size = self._part.close()
            with gdal_errors():
                is_whole = is_cog(self._part.path)
            if is_whole:
                self._part.path.replace(self._path)
        except (GdalError, OSError) as error:
            raise _not_written() from error
        if not is_whole:
            raise _not_written()
        return WrittenCog(path=self._path, size=size, sha256=checksum)

    def _header(self, band_tags: Mapping[str, str]) -> bytes:
        described = with_class_table(ifd.tags_of(self._empty_twin(band_tags)), self._format)
        return ifd.header(described, self._pyramid.layout(), self._codec.tiff_code, self._codec.predictor)

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
        cog.write_overviews()
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


def _not_written() -> ResultNotWritten:
    return ResultNotWritten("The result could not be written whole; the disk of the service may be full.")
