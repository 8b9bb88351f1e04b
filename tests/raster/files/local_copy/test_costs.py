"""What a window and an overview cost: few bytes of a file that is laid out well."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.types import PixelArray
from tests.raster.files.local_copy.copies import LARGE, TILES, cog, cog_with_a_long_head, remote, with_overviews
from tests.raster.support.rasters import band, described, read_dn, write_tif
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")

Make = Callable[[Path, PixelArray], Path]


@pytest.mark.parametrize("is_window_first", [False, True])
@pytest.mark.parametrize("make", [cog, cog_with_a_long_head, with_overviews])
def test_overview_is_that_of_the_disk_and_costs_little_in_a_cog(
    range_server: RangeServer, make: Make, is_window_first: bool
) -> None:
    path = make(range_server.folder / "red.tif", LARGE)
    source, config = remote(range_server, path)
    with described(band(source), config) as file, described(band(path), config) as local:
        if is_window_first:
            read_dn(file, slice(0, 100), slice(0, 100))
        np.testing.assert_array_equal(file.overview(512), local.overview(512))
    assert make is with_overviews or range_server.bytes_sent < path.stat().st_size / 2


@pytest.mark.parametrize("make", [cog, cog_with_a_long_head, with_overviews])
def test_window_costs_a_small_part_of_the_file(range_server: RangeServer, make: Make) -> None:
    path = make(range_server.folder / "red.tif", LARGE)
    source, config = remote(range_server, path)
    with described(band(source), config) as file:
        np.testing.assert_array_equal(read_dn(file, slice(900, 1000), slice(900, 1000)), LARGE[900:1000, 900:1000])
    assert range_server.bytes_sent < path.stat().st_size / 5
    assert len(range_server.requests) <= 4


@pytest.mark.parametrize("options", [{**TILES, "blockxsize": 16, "blockysize": 16}, {"tiled": False, "blockysize": 1}])
@pytest.mark.parametrize("compress", ["none", "deflate", "lzw", "packbits"])
def test_block_after_block_is_read_right(range_server: RangeServer, options: dict[str, Any], compress: str) -> None:
    """C stdio reads beyond a block and caches it. That must not hide the bytes of the next block."""
    pixels = LARGE[:320, :112]
    path = write_tif(range_server.folder / "red.tif", pixels, **{**options, "compress": compress})
    source, config = remote(range_server, path)
    with described(band(source), config) as file:
        height, width = file.block_shape
        for top, left in product(range(0, 320, height), range(0, 112, width)):
            part = slice(top, top + height), slice(left, left + width)
            np.testing.assert_array_equal(read_dn(file, *part), pixels[part])
