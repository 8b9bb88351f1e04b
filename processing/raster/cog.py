"""The only file that writes a raster: windows in, one Cloud Optimized GeoTIFF out, in a single pass.

Each window is encoded by the thread that brings it, and halved for the first overview while it is at hand. Tiles of
full resolution leave memory for the disk row by row; overviews stay, encoded, in memory. In the end the directories,
which can be written only now, and the overviews go before them into the final file, as readers of COGs want it.
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import rasterio
from isal import isal_zlib
from rasterio.io import MemoryFile
from rasterio.windows import Window

from . import geotiff
from .errors import ResultNotWritten
from .grid import Grid
from .overviews import halving_for
from .reading import GDAL_ERRORS
from .tiles import Compression, TileCodec, predictor_for
from .types import PixelArray, PixelFormat

BLOCK = 512
# The side of the windows that the writer takes: four tiles, and one of the first overview.
WINDOW = 2 * BLOCK
_COPY_BYTES = 8 << 20


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
        self._tiles_path = path.with_name(f".{path.name}.tiles")
        self._part_path = path.with_name(f".{path.name}.part")
        predictor = predictor_for(pixel_format.dtype, has_palette=bool(pixel_format.palette))
        self._codec = TileCodec(compression=compression, predictor=predictor)
        self._halve = halving_for(pixel_format)
        self._levels = _levels(grid.width, grid.height)
        self._lock = threading.Lock()
        self._next_row = 0
        # Of all that went to the disk, so that nothing else is taken for it on the way back.
        self._tiles_crc = 0
        # What is left of the raster at a quarter of its size, from which the further overviews are made.
        quarter = self._levels[2] if len(self._levels) > 2 else None
        self._quarter = np.empty((quarter.height, quarter.width), pixel_format.dtype) if quarter else None

    def __enter__(self) -> Self:
        try:
            self._tiles_file = self._tiles_path.open("w+b")
        except OSError as error:
            raise _not_written() from error
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # a full disk refuses what has not left memory yet; it is thrown away anyway
            self._tiles_file.close()
        for path in (self._tiles_path, self._part_path):
            path.unlink(missing_ok=True)

    def windows(self) -> Iterator[Window]:
        """The windows that the writer takes, in the order in which it likes them best."""
        return self._grid.windows(WINDOW)

    def write(self, window: Window, pixels: PixelArray) -> None:
        """Take one of `windows()`: (rows, columns) in the dtype of the pixel format. Raises ResultNotWritten."""
        row, column = int(window.row_off) // WINDOW, int(window.col_off) // WINDOW
        encoded = [self._encode(0, row, column, pixels)]
        if len(self._levels) > 1:
            half = self._halve(pixels)
            encoded.append(self._encode(1, row, column, half))
            if self._quarter is not None:
                self._keep_quarter(row, column, self._halve(half))
        with self._lock:
            for level, tiles in zip(self._levels, encoded, strict=False):
                level.tiles.update(tiles)
            self._write_whole_rows()

    def finish(self) -> WrittenCog:
        """Put directories, overviews and tiles together, check them, and put the file in place.

        Raises ResultNotWritten.
        """
        if self._next_row < self._levels[0].tile_rows:  # windows are missing
            raise _not_written()
        self._finish_overviews()
        try:
            with self._part_path.open("wb") as part:
                checksum = self._assemble(part)
                part.flush()
                os.fsync(part.fileno())
            size = self._part_path.stat().st_size
            if not is_cog(self._part_path):
                raise _not_written()
            self._part_path.replace(self._path)
        except (*GDAL_ERRORS, OSError) as error:
            raise _not_written() from error
        return WrittenCog(path=self._path, size=size, sha256=checksum)

    def _encode(self, index: int, row: int, column: int, pixels: PixelArray) -> dict[tuple[int, int], bytes]:
        """The tiles of a level that a window's pixels fill, by (row, column) among the level's tiles."""
        block = self._levels[index].block
        per_window = (WINDOW >> index) // block
        return {
            (row * per_window + tile_row, column * per_window + tile_column): self._codec.encode(
                self._whole_tile(pixels, tile_row * block, tile_column * block, block)
            )
            for tile_row in range(-(-pixels.shape[0] // block))
            for tile_column in range(-(-pixels.shape[1] // block))
        }

    def _whole_tile(self, pixels: PixelArray, top: int, left: int, block: int) -> PixelArray:
        """The tile at (top, left); beyond the raster's edge it is filled up with nodata."""
        part = pixels[top : top + block, left : left + block]
        if part.shape == (block, block):
            return np.ascontiguousarray(part)
        tile = np.full((block, block), self._format.nodata, dtype=pixels.dtype)
        tile[: part.shape[0], : part.shape[1]] = part
        return tile

    def _keep_quarter(self, row: int, column: int, pixels: PixelArray) -> None:
        assert self._quarter is not None  # noqa: S101  # the caller asked
        top, left, (rows, columns) = row * WINDOW // 4, column * WINDOW // 4, pixels.shape
        self._quarter[top : top + rows, left : left + columns] = pixels

    def _write_whole_rows(self) -> None:
        """Full resolution goes to the disk row of tiles by row of tiles; only what is ahead of its turn waits."""
        level = self._levels[0]
        while self._next_row < level.tile_rows:
            row = [(self._next_row, column) for column in range(level.tile_columns)]
            if not all(place in level.tiles for place in row):
                return
            for place in row:
                tile = level.tiles.pop(place)
                level.sizes[place] = len(tile)
                self._append(tile)
            self._next_row += 1

    def _append(self, tile: bytes) -> None:
        try:
            framed = geotiff.framed(tile)
            self._tiles_crc = isal_zlib.crc32(framed, self._tiles_crc)
            self._tiles_file.write(framed)
        except OSError as error:
            raise _not_written() from error

    def _finish_overviews(self) -> None:
        pixels = self._quarter
        for level in self._levels[2:]:
            assert pixels is not None  # noqa: S101  # there is a quarter where there is a third level
            for row in range(level.tile_rows):
                for column in range(level.tile_columns):
                    tile = self._whole_tile(pixels, row * level.block, column * level.block, level.block)
                    level.tiles[row, column] = self._codec.encode(tile)
            pixels = self._halve(pixels)

    def _assemble(self, part: BinaryIO) -> str:
        """Write the final file; gives its SHA-256."""
        for level in self._levels[1:]:
            level.sizes.update({place: len(tile) for place, tile in level.tiles.items()})
        described = geotiff.tags_of(self._empty_twin())
        digest = hashlib.sha256()
        levels = [level.layout() for level in self._levels]
        for piece in self._pieces(geotiff.header(described, levels, self._codec.tiff_code, self._codec.predictor)):
            part.write(piece)
            digest.update(piece)
        return digest.hexdigest()

    def _pieces(self, header: bytes) -> Iterator[bytes]:
        """The file from its beginning: directories, overviews from the coarsest, full resolution."""
        yield header
        for level in reversed(self._levels[1:]):
            yield from (geotiff.framed(level.tiles[place]) for place in sorted(level.tiles))
        self._tiles_file.seek(0)
        crc = 0
        while piece := self._tiles_file.read(_COPY_BYTES):
            crc = isal_zlib.crc32(piece, crc)
            yield piece
        if crc != self._tiles_crc:
            raise _not_written()

    def _empty_twin(self) -> bytes:
        """A file without pixels, written by GDAL: its tags say all that the COG shall say of itself."""
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff",
                width=self._grid.width,
                height=self._grid.height,
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
                # GDAL keeps category names in a side file, which a download loses; tags stay in the file.
                twin.update_tags(1, **{f"CLASS_{code}": name for code, name in enumerate(self._format.class_names)})
                if self._format.palette:
                    twin.write_colormap(1, dict(enumerate(self._format.palette)))
            return bytes(memory.getbuffer())


class _Level:
    """One resolution while it is being made: its encoded tiles by (row, column), and their sizes."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        # Some validators take a raster for untiled whose tiles are as wide as itself.
        self.block = BLOCK // 2 if width == BLOCK < height else BLOCK
        self.tile_rows, self.tile_columns = -(-height // self.block), -(-width // self.block)
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.sizes: dict[tuple[int, int], int] = {}

    def layout(self) -> geotiff.Level:
        sizes = [self.sizes[place] for place in sorted(self.sizes)]
        return geotiff.Level(width=self.width, height=self.height, block=self.block, sizes=sizes)


def write_cog(path: Path, grid: Grid, pixels: PixelArray, pixel_format: PixelFormat) -> WrittenCog:
    """Write a raster that is in memory as a whole: (rows, columns). Raises ResultNotWritten."""
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


def _levels(width: int, height: int) -> list[_Level]:
    """Full resolution, then halves, rounded up, until one tile is enough."""
    levels = [_Level(width, height)]
    while max(width, height) > BLOCK:
        width, height = (width + 1) // 2, (height + 1) // 2
        levels.append(_Level(width, height))
    return levels


def _not_written() -> ResultNotWritten:
    return ResultNotWritten("The result could not be written whole; the disk of the service may be full.")
