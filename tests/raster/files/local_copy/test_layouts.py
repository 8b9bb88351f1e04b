"""Local copies of files of any layout hold the DN of the same file on the disk."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window
from tifffile import TiffWriter

from processing.raster.errors import SceneUnreadable
from processing.raster.files import local_copy
from processing.raster.reading.raster_file import RasterFile
from processing.raster.types import PixelArray
from tests.raster.files.local_copy.copies import (
    DN,
    LARGE,
    SIDE,
    TILES,
    assert_parts_are_those_of_the_disk,
    remote,
    with_overviews,
)
from tests.raster.support.rasters import band, described, grid, read_window, write_tif
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")

LAYOUTS: dict[str, dict[str, Any]] = {
    "tiles": TILES,
    "strips": {"blockysize": 7},
    "one strip": {"blockysize": SIDE, "compress": "deflate"},
    "deflate": {**TILES, "compress": "deflate"},
    "lzw": {**TILES, "compress": "lzw", "predictor": 2},
    "zstd": {**TILES, "compress": "zstd", "predictor": 2},
    "deflated strips": {"compress": "deflate", "predictor": 2},
    "bigtiff": {**TILES, "compress": "deflate", "BIGTIFF": "YES"},
    "big endian": {**TILES, "ENDIANNESS": "BIG"},
    "big endian, packed": {"compress": "lzw", "predictor": 2, "ENDIANNESS": "BIG", "BIGTIFF": "YES"},
    "cog": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "DEFLATE", "PREDICTOR": "YES"},
    "cog, zstd": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "ZSTD"},
    "cog, uncompressed": {"driver": "COG", "BLOCKSIZE": 128, "COMPRESS": "NONE"},
    "floats": {**TILES, "compress": "deflate", "predictor": 3, "dtype": "float32"},
    "jpeg 2000": {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts_are_those_of_the_file_on_the_disk(range_server: RangeServer, layout: str) -> None:
    name = "red.jp2" if layout == "jpeg 2000" else "red.tif"
    assert_parts_are_those_of_the_disk(range_server, write_tif(range_server.folder / name, DN, **LAYOUTS[layout]))


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("compress", ["none", "deflate"])
def test_parts_of_the_first_of_several_bands_are_those_of_the_disk(
    range_server: RangeServer, interleave: str, compress: str
) -> None:
    path = range_server.folder / "red.tif"
    write_tif(path, DN, count=2, interleave=interleave, compress=compress, **TILES)
    with rasterio.open(path, "r+") as file:
        file.write(DN[::-1], 2)
    assert_parts_are_those_of_the_disk(range_server, path)


def rewritten(path: Path, dn: PixelArray) -> Path:
    """Its directory has grown, so it stands at the end now."""
    write_tif(path, dn, **TILES)
    with rasterio.open(path, "r+") as file:
        file.update_tags(more="x" * 5000)
    return path


def with_its_directory_last(path: Path, dn: PixelArray) -> Path:
    geo_keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32619)
    place = [(33550, "d", 3, (10.0, 10.0, 0.0)), (33922, "d", 6, (0, 0, 0, 6e5, 4.7e6, 0)), (34735, "H", 16, geo_keys)]
    with TiffWriter(path) as file:
        file.write(dn, tile=(64, 64), compression="zlib", extratags=[(*tag, True) for tag in place])
    content = path.read_bytes()
    at, _ = struct.unpack_from("<IH", content, 4)
    count = struct.unpack_from("<H", content, at)[0]
    moved = content + content[at : at + 2 + 12 * count + 4]
    path.write_bytes(moved[:4] + struct.pack("<I", len(content)) + moved[8:])
    return path


@pytest.mark.parametrize("make", [with_overviews, rewritten, with_its_directory_last])
def test_parts_of_files_with_directories_at_their_end_are_those_of_the_disk(
    range_server: RangeServer, make: Callable[[Path, PixelArray], Path]
) -> None:
    assert_parts_are_those_of_the_disk(range_server, make(range_server.folder / "red.tif", DN))


@pytest.mark.parametrize("more", range(0, 1500, 100))
def test_parts_are_right_wherever_the_head_cuts_the_directory(range_server: RangeServer, more: int) -> None:
    path = range_server.folder / "red.tif"
    place = {"crs": grid(1, 1).crs, "transform": grid(1, 1).transform, "count": 1, "dtype": DN.dtype}
    shape = {"height": SIDE, "width": DN.shape[1], "compress": "deflate", **TILES}
    with rasterio.open(path, "w", driver="GTiff", **place, **shape) as file:
        file.update_tags(TIFFTAG_IMAGEDESCRIPTION="x" * (local_copy._HEADS[0] - 1800 + more))
        file.write(DN, 1)
    assert_parts_are_those_of_the_disk(range_server, path)


def test_sparse_file_is_fetched_as_a_whole(range_server: RangeServer) -> None:
    """A block that it leaves out looks like one that was not fetched."""
    path = write_tif(range_server.folder / "red.tif", np.where(LARGE > 0, 0, LARGE), SPARSE_OK="TRUE", **TILES)
    with rasterio.open(path, "r+") as file:
        file.write(LARGE[:1024, :1024], 1, window=Window(512, 512, 1024, 1024))
    assert_parts_are_those_of_the_disk(range_server, path)
    assert range_server.bytes_sent == path.stat().st_size


# --- Tables of blocks that lie --------------------------------------------------------------------------------------

OFFSETS, SIZES = 324, 325
LIES: dict[str, tuple[int, Callable[[list[int], int], list[int]]]] = {
    "beyond the file": (OFFSETS, lambda values, size: [size + value for value in values]),
    "at the file's very end": (OFFSETS, lambda values, size: [size - 1] * len(values)),
    "far beyond": (OFFSETS, lambda values, size: [2**32 - 1] * len(values)),
    "larger than the file": (SIZES, lambda values, size: [size + 1] * len(values)),
    "largest": (SIZES, lambda values, size: [2**32 - 1] * len(values)),
    "overlapping": (OFFSETS, lambda values, size: [value - 7 for value in values]),
    "cut short": (SIZES, lambda values, size: [value // 2 for value in values]),
}
HARMLESS = ("larger than the file", "largest")


def change_table(path: Path, tag: int, change: Callable[[list[int], int], list[int]]) -> None:
    """Change the values of a tag of the file's first directory; `change` takes them and the size of the file."""
    content = bytearray(path.read_bytes())
    directory, entries = struct.unpack_from("<IH", content[4:8] + content[struct.unpack_from("<I", content, 4)[0] :])
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        if struct.unpack_from("<H", content, at)[0] == tag:
            _, kind, count, values_at = struct.unpack_from("<HHII", content, at)
            form = f"<{count}{'H' if kind == 3 else 'I'}"
            values = change(list(struct.unpack_from(form, content, values_at)), len(content))
            struct.pack_into(form, content, values_at, *values)
    path.write_bytes(content)


@pytest.mark.parametrize("lie", LIES)
def test_table_of_blocks_that_lies_changes_no_dn(range_server: RangeServer, lie: str) -> None:
    """GDAL reads a deflated block as far as it goes, so some lies do no harm, from the disk either."""
    path = range_server.folder / "red.tif"
    write_tif(path, LARGE, compress="deflate", tiled=True, blockxsize=256, blockysize=256)
    change_table(path, *LIES[lie])
    source, config = remote(range_server, path)

    def is_read(file: RasterFile) -> bool:
        try:
            dn = read_window(file, file.grid, Window(300, 300, 100, 100))
        except SceneUnreadable:
            return False
        np.testing.assert_array_equal(dn, LARGE[300:400, 300:400])
        return True

    with described(band(source), config) as file, described(band(path), config) as local:
        assert is_read(file) == is_read(local) == (lie in HARMLESS)
