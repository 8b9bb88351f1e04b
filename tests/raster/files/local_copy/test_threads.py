"""A local copy that several threads read: no hole is taken for data, and the same block is asked for once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from processing.raster.errors import ProviderUnavailable
from processing.raster.gdal import enter_gdal_environment
from tests.raster.files.local_copy.copies import LARGE, TILES, Part, cog, random_parts, remote
from tests.raster.files.local_copy.slow_server import SlowServer
from tests.raster.support.rasters import band, described, read_dn, write_tif
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")


@pytest.mark.parametrize("options", [TILES, {"blockysize": 1}, {"driver": "COG", "BLOCKSIZE": 64, "COMPRESS": "NONE"}])
def test_many_threads_never_read_a_hole(range_server: RangeServer, options: dict[str, Any]) -> None:
    """A cached page must not hide bytes that come later. No DN of the file is 0, so a hole would show."""
    source, config = remote(range_server, write_tif(range_server.folder / "red.tif", LARGE, **options))
    mine = threading.local()
    with described(band(source), config) as file, ExitStack() as files:

        def begin() -> None:
            enter_gdal_environment()
            mine.raster = files.enter_context(file.open())

        def is_right(part: Part) -> bool:
            """Also in the blocks that follow, which may begin on the page on which those of the part end."""
            rows, columns = part
            height, width = file.block_shape
            beside = rows, slice(columns.start + width, columns.stop + width)
            below = slice(rows.start + height, rows.stop + height), columns
            return all(np.array_equal(mine.raster.dn(*each), LARGE[each]) for each in (part, beside, below))

        with ThreadPoolExecutor(4, initializer=begin) as threads:
            assert all(threads.map(is_right, list(random_parts(80, (1800, 1800), 40))))


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_need_the_same_blocks_ask_once_and_share_the_outcome(slow_server: SlowServer, fails: bool) -> None:
    source, config = remote(slow_server, cog(slow_server.folder / "red.tif", LARGE))
    slow_server.fails = fails
    with described(band(source), config) as file, ThreadPoolExecutor(4) as threads:
        (fetch,) = file.fetches(slice(600, 700), slice(600, 700))
        brought = [threads.submit(fetch) for _ in range(4)]
        assert slow_server.asked.wait(20)
        slow_server.may_go.set()
        errors = [one.exception(timeout=20) for one in brought]
        if not fails:
            np.testing.assert_array_equal(read_dn(file, slice(600, 700), slice(600, 700)), LARGE[600:700, 600:700])
    assert [type(error) for error in errors] == [ProviderUnavailable if fails else type(None)] * 4
    assert len(slow_server.requests) == 2  # for the head and for the block
