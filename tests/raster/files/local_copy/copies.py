"""Rasters on a server whose local copies are compared with the same file on the disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling

from processing.raster.types import Config, PixelArray, RemoteFile
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, read_dn, write_tif
from tests.servers import RangeServer

Part = tuple[slice, slice]  # rows, columns

SIDE = 700
DN: PixelArray = np.random.default_rng(9).integers(1, 10_000, (SIDE, SIDE + 37), dtype=np.uint16)
LARGE: PixelArray = np.random.default_rng(10).integers(1, 10_000, (2048, 2048), dtype=np.uint16)
TILES: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 128}


def remote(server: RangeServer, path: Path) -> tuple[RemoteFile, Config]:
    """The file as the server has it, and settings that allow the server."""
    config = config_for(private_hosts=frozenset({server.host}))
    return RemoteFile(url=f"{server.url}/{path.name}"), config


def random_parts(count: int, shape: tuple[int, int], most: int = 200) -> Iterator[Part]:
    """Parts of a raster of that shape, of up to `most` rows and columns."""
    random = np.random.default_rng(11)
    for _ in range(count):
        top, left = (int(random.integers(0, side)) for side in shape)
        rows, columns = random.integers(1, most, 2).tolist()
        yield slice(top, min(top + rows, shape[0])), slice(left, min(left + columns, shape[1]))


def assert_parts_are_those_of_the_disk(server: RangeServer, path: Path) -> None:
    """Compare two corners and some parts at random."""
    source, config = remote(server, path)
    with described(band(source), config) as file, described(band(path), config) as local:
        assert (file.grid, file.block_shape, file.dtype) == (local.grid, local.block_shape, local.dtype)
        rows, columns = file.grid.shape
        corners = [(slice(0, 1), slice(0, 1)), (slice(rows - 1, rows), slice(columns - 1, columns))]
        for part in [*corners, *random_parts(8, file.grid.shape)]:
            np.testing.assert_array_equal(read_dn(file, *part), read_dn(local, *part))


def cog(path: Path, dn: PixelArray) -> Path:
    return write_tif(path, dn, driver="COG", BLOCKSIZE=256, COMPRESS="DEFLATE")


def cog_with_a_long_head(path: Path, dn: PixelArray) -> Path:
    return write_tif(path, dn, driver="COG", BLOCKSIZE=16, COMPRESS="DEFLATE")


def with_overviews(path: Path, dn: PixelArray) -> Path:
    """A plain GeoTIFF, whose overviews stand at its end."""
    write_tif(path, dn, compress="deflate", **TILES)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], Resampling.average)
    return path
