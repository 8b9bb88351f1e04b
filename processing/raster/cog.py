"""The only file that writes a raster: windows in, one verified Cloud Optimized GeoTIFF out."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from zlib import crc32

import numpy as np
import rasterio
from rasterio.io import DatasetReader
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window

from .errors import ResultNotWritten
from .grid import Grid
from .reading import GDAL_ERRORS
from .types import PixelArray, PixelFormat

BLOCK = 512


@dataclass(frozen=True, kw_only=True)
class WrittenCog:
    """A COG that was read back and found whole."""

    path: Path
    size: int
    sha256: str


class CogWriter:
    """Takes the windows of one band in any order; `finish` makes the COG appear at `path`, whole or not at all.

    Used as a context manager, which removes every unfinished file whatever happens.

        with CogWriter(path, grid, pixel_format, tags) as cog:
            cog.write(window, pixels)
            written = cog.finish()
    """

    def __init__(
        self, path: Path, grid: Grid, pixel_format: PixelFormat, tags: Mapping[str, str] | None = None
    ) -> None:
        self._path, self._grid, self._format = path, grid, pixel_format
        self._plain = path.with_name(f".{path.name}.plain")
        self._part = path.with_name(f".{path.name}.part")
        self._checksums: dict[tuple[int, int, int, int], int] = {}
        self._tags = tags or {}

    def __enter__(self) -> Self:
        try:
            self._dataset = self._create()
        except GDAL_ERRORS as error:
            self._remove_unfinished()
            raise _not_written() from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._dataset.close()
        except GDAL_ERRORS:
            if error is None:
                raise
        finally:
            self._remove_unfinished()

    def write(self, window: Window, pixels: PixelArray) -> None:
        """Take one window: (rows, columns) in the dtype of the pixel format. Raises ResultNotWritten."""
        try:
            self._dataset.write(pixels, 1, window=window)
        except GDAL_ERRORS as error:
            raise _not_written() from error
        self._checksums[window.flatten()] = _checksum(pixels)

    def finish(self) -> WrittenCog:
        """Lay the pixels out as a COG, read it back, and put it in place. Raises ResultNotWritten."""
        try:
            self._dataset.close()
            copy_raster(self._plain, self._part, driver="COG", **self._cog_options())
            self._verify()
            _flush_to_disk(self._part)
        except (*GDAL_ERRORS, OSError) as error:
            raise _not_written() from error
        self._part.replace(self._path)
        return WrittenCog(path=self._path, size=self._path.stat().st_size, sha256=_sha256(self._path))

    def _create(self) -> DatasetReader:
        """The uncompressed file that collects the windows, with everything that the COG shall say of itself."""
        dataset = rasterio.open(
            self._plain,
            "w",
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
            bigtiff="IF_SAFER",
        )
        dataset.scales, dataset.offsets = (self._format.scale,), (self._format.offset,)
        dataset.set_band_description(1, self._format.description)
        dataset.update_tags(**self._tags)
        if self._format.palette:
            dataset.write_colormap(1, dict(enumerate(self._format.palette)))
        # GDAL keeps category names in a side file, which a download loses; tags stay in the file.
        dataset.update_tags(1, **{f"CLASS_{code}": name for code, name in enumerate(self._format.class_names)})
        return dataset

    def _cog_options(self) -> dict[str, str | int]:
        return {
            "blocksize": BLOCK,
            "compress": "DEFLATE",
            "level": 1,  # higher levels cost much time and save below one percent on measured reflectance
            "predictor": "NO" if self._format.palette else "YES",
            "overview_resampling": self._format.overview_resampling,
            "num_threads": "ALL_CPUS",
            "bigtiff": "IF_SAFER",
        }

    def _verify(self) -> None:
        """With several threads GDAL reports no failed encode and no full disk, so only reading back tells."""
        with rasterio.open(self._part, driver="GTiff") as written:
            whole = (
                is_cog(self._part)
                and written.shape == self._grid.shape
                and written.dtypes == (self._format.dtype,)
                and all(
                    _checksum(written.read(1, window=Window(*flat))) == checksum
                    for flat, checksum in self._checksums.items()
                )
            )
            levels = len(written.overviews(1))
        if not whole:
            raise _not_written()
        for level in range(levels):
            with rasterio.open(self._part, driver="GTiff", overview_level=level) as overview:
                for window in Grid.of(overview).windows(4 * BLOCK):
                    overview.read(1, window=window)

    def _remove_unfinished(self) -> None:
        for path in (self._plain, self._part):
            path.unlink(missing_ok=True)


def is_cog(path: Path) -> bool:
    """Whether the file is laid out as a COG: tiles, directories first, and overviews once it is larger than a tile."""
    with rasterio.open(path, driver="GTiff") as dataset:
        return (
            dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
            and dataset.block_shapes[0] == (BLOCK, BLOCK)
            and bool(max(dataset.shape) <= BLOCK or dataset.overviews(1))
        )


def _checksum(pixels: PixelArray) -> int:
    return crc32(np.ascontiguousarray(pixels).data)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _not_written() -> ResultNotWritten:
    return ResultNotWritten("The result could not be written whole; the disk of the service may be full.")
