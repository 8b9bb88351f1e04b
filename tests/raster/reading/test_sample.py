"""The few DN of a raster that stand for all: from an overview, else from blocks spread over it."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from processing.raster.errors import SceneTooLarge
from processing.raster.reading.block_layout import spread_blocks
from processing.raster.types import Config, RemoteFile
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, grid, random_dn, write_tif
from tests.servers import RangeServer


@pytest.mark.parametrize(
    ("shape", "block"),
    [((1, 1), (1, 1)), ((100, 90), (512, 512)), ((1800, 2000), (512, 512)), ((915, 915), (2, 915)), ((7, 9), (3, 2))],
)
def test_blocks_are_few_and_whole_and_inside(shape: tuple[int, int], block: tuple[int, int]) -> None:
    parts = spread_blocks(shape, block, 512 * 512)
    assert 1 <= len(parts) <= 9
    for part in parts:
        for lines, size, side in zip(part, block, shape, strict=True):
            assert lines.start % size == 0
            assert lines.start < lines.stop == min(lines.start + size, side)


def test_blocks_lie_in_different_rows_and_columns() -> None:
    parts = spread_blocks((10980, 10980), (512, 512), 10**7)
    assert len({rows.start for rows, _ in parts}) == len({columns.start for _, columns in parts}) == len(parts) == 9


def test_small_raster_is_its_own_sample(tmp_path: Path, config: Config) -> None:
    dn = random_dn(40, 30)
    with described(band(write_tif(tmp_path / "red.tif", dn)), config) as raster:
        np.testing.assert_array_equal(np.sort(raster.sample(512)), np.sort(dn.ravel()))


@pytest.mark.parametrize("driver", ["COG", "GTiff"])
def test_sample_of_a_remote_file_costs_little(range_server: RangeServer, driver: str) -> None:
    """A COG has overviews at its head; a plain GeoTIFF has them at its end or none."""
    dn = random_dn(3000, 3000)
    tiles = {"blocksize": 256} if driver == "COG" else {"tiled": True, "blockxsize": 256, "blockysize": 256}
    path = write_tif(range_server.folder / "red.tif", dn, grid(3000, 3000), driver=driver, compress="deflate", **tiles)
    config = config_for(private_hosts=frozenset({range_server.host}))
    with described(band(RemoteFile(url=f"{range_server.url}/red.tif")), config) as raster:
        before = len(range_server.requests)
        sample = raster.sample(512)
        requests = len(range_server.requests) - before
    with rasterio.open(path) as file:
        assert bool(file.overviews(1)) is (driver == "COG")
    assert requests <= (1 if driver == "COG" else 9)
    assert range_server.bytes_sent < path.stat().st_size / 4
    assert 500 < np.median(sample[sample > 0]) < 9000


def test_raster_that_is_too_large_to_be_read_has_a_sample_but_no_overview(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "red.tif", random_dn(200, 200), tiled=True, blockxsize=16, blockysize=16)
    with described(band(path), config_for(max_pixels=39_999)) as raster:
        assert 1 <= raster.sample(64).size <= 64**2
        with pytest.raises(SceneTooLarge, match="40,000 pixels"):
            raster.overview(64)
