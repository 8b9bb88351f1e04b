"""The only file that writes a raster: windows in, one Cloud Optimized GeoTIFF out, in a single pass.

Each window is encoded by the thread that brings it, and halved for the first overview while it is at hand. Tiles of
full resolution leave memory for the disk row by row; overviews stay, encoded, in memory. In the end the directories,
which can be written only now, and the overviews go before them into the final file, as readers of COGs want it.
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import rasterio
from rasterio.io import MemoryFile
from rasterio.windows import Window

from . import geotiff
from .errors import ResultNotWritten
from .grid import Grid
from .overviews import halving_for
from .reading import GDAL_ERRORS
from .tile_file import TileFile
from .tiles import TileCodec, predictor_for
from .types import Compression, PixelArray, PixelFormat

BLOCK = 512
# The side of the windows that the writer takes: four tiles, and one of the first overview.
WINDOW = 2 * BLOCK


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
        self._halve = halving_for(pixel_format)
        self._levels = _levels(grid.width, grid.height)
        self._lock = threading.Lock()
        self._next_row = 0
        self._empty_tiles: dict[int, bytes] = {}  # by their side
        # What is left of the raster at a quarter of its size, from which the further overviews are made.
        self._quarter = np.empty(_quarter_shape(grid), pixel_format.dtype)

    def __enter__(self) -> Self:
        try:
            self._tile_file = TileFile(self._path.with_name(f".{self._path.name}.tiles"))
        except OSError as error:
            raise _not_written() from error
        return self

    def __exit__(self, *error: object) -> None:
        self._tile_file.remove()
        self._part_path.unlink(missing_ok=True)

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
            if len(self._levels) > 2:
                self._keep_quarter(row, column, self._halve(half))
        with self._lock:
            for level, tiles in zip(self._levels, encoded, strict=False):
                level.tiles.update(tiles)
            self._write_whole_rows()

    def finish(self, band_tags: Mapping[str, str] | None = None) -> WrittenCog:
        """Put directories, overviews and tiles together, check them, and put the file in place.

        `band_tags` say of the band what is only known now. Raises ResultNotWritten.
        """
        if self._next_row < self._levels[0].tile_rows:  # windows are missing
            raise _not_written()
        self._finish_overviews()
        try:
            with self._part_path.open("wb") as part:
                checksum = _write_hashed(part, self._pieces(band_tags or {}))
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
            (row * per_window + top // block, column * per_window + left // block): self._encode_tile(
                pixels[top : top + block, left : left + block], block
            )
            for top in range(0, pixels.shape[0], block)
            for left in range(0, pixels.shape[1], block)
        }

    def _encode_tile(self, pixels: PixelArray, block: int) -> bytes:
        """A tile of `block` pixels a side; beyond the raster's edge it is filled up with nodata."""
        if _is_nodata(pixels[0, 0], self._format) and _is_nodata(pixels, self._format).all():
            return self._empty_tile(block)
        if pixels.shape == (block, block):
            return self._codec.encode(pixels)
        tile = np.full((block, block), self._format.nodata, dtype=pixels.dtype)
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        return self._codec.encode(tile)

    def _empty_tile(self, block: int) -> bytes:
        """A tile of nodata, which scenes have many of, encoded once."""
        if block not in self._empty_tiles:
            nothing = np.full((block, block), self._format.nodata, dtype=self._format.dtype)
            self._empty_tiles[block] = self._codec.encode(nothing)
        return self._empty_tiles[block]

    def _keep_quarter(self, row: int, column: int, pixels: PixelArray) -> None:
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
            self._tile_file.append(*geotiff.framed(tile))
        except OSError as error:
            raise _not_written() from error

    def _finish_overviews(self) -> None:
        pixels = self._quarter
        for level in self._levels[2:]:
            level.tiles = self._encode(self._levels.index(level), 0, 0, pixels)
            pixels = self._halve(pixels)
        for level in self._levels[1:]:
            level.sizes = {place: len(tile) for place, tile in level.tiles.items()}

    def _pieces(self, band_tags: Mapping[str, str]) -> Iterator[bytes | memoryview]:
        """The file from its beginning: directories, overviews from the coarsest, full resolution."""
        described = geotiff.tags_of(self._empty_twin(band_tags))
        levels = [level.layout() for level in self._levels]
        yield geotiff.header(described, levels, self._codec.tiff_code, self._codec.predictor)
        for level in reversed(self._levels[1:]):
            for place in sorted(level.tiles):
                yield b"".join(geotiff.framed(level.tiles[place]))
        yield from self._tile_file.pieces()

    def _empty_twin(self, band_tags: Mapping[str, str]) -> bytes:
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
                classes = {f"CLASS_{code}": name for code, name in enumerate(self._format.class_names)}
                twin.update_tags(1, **classes, **band_tags)
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


def _quarter_shape(grid: Grid) -> tuple[int, int]:
    return -(-grid.height // 4), -(-grid.width // 4)


def _codec(pixel_format: PixelFormat, compression: Compression) -> TileCodec:
    predictor = predictor_for(pixel_format.dtype, has_palette=bool(pixel_format.palette))
    return TileCodec(compression=compression, predictor=predictor, mantissa_bits=pixel_format.mantissa_bits)


def _is_nodata(pixels: PixelArray, pixel_format: PixelFormat) -> PixelArray:
    return np.isnan(pixels) if np.isnan(pixel_format.nodata) else pixels == pixel_format.nodata


def _write_hashed(part: BinaryIO, pieces: Iterable[bytes | memoryview]) -> str:
    """Write the pieces and give their SHA-256, which one thread works out while the other writes."""
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1) as hashing:
        for piece in pieces:
            hashed = hashing.submit(digest.update, piece)
            part.write(piece)
            hashed.result()
    return digest.hexdigest()


def _not_written() -> ResultNotWritten:
    return ResultNotWritten("The result could not be written whole; the disk of the service may be full.")
