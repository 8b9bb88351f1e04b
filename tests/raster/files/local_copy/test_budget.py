"""What a job may copy: so many bytes in all, and never the last ones of the disk."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from processing.raster.errors import LocalCopyNotWritten, SceneTooLarge
from processing.raster.reading import OpenRasters
from processing.raster.types import Limits
from tests.raster.files.local_copy.copies import LARGE, cog, remote
from tests.raster.support.configs import LIMITS
from tests.raster.support.rasters import band, read_dn
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")

WHOLE = (slice(0, 2048), slice(0, 2048))


def read_both(server: RangeServer, limits: Limits) -> int:
    """Read two files whole in one job. Returns their size in bytes; afterwards nothing is left on the disk."""
    paths = [cog(server.folder / name, LARGE) for name in ("red.tif", "nir.tif")]
    wanted, config = zip(*(remote(server, path) for path in paths), strict=True)
    with TemporaryDirectory() as folder:
        try:
            with OpenRasters(config[0].network, limits, Path(folder)) as rasters:
                for file in rasters.describe([band(source) for source in wanted]):
                    read_dn(file, *WHOLE)
        finally:
            assert [*Path(folder).iterdir()] == []
    return sum(path.stat().st_size for path in paths)


def test_job_within_its_budget_reads_all_of_its_files(range_server: RangeServer) -> None:
    size = read_both(range_server, LIMITS)
    assert read_both(range_server, replace(LIMITS, max_bytes=1.1 * size)) == size


def test_job_over_its_budget_is_too_large_though_each_file_is_not(range_server: RangeServer) -> None:
    size = read_both(range_server, LIMITS)
    with pytest.raises(SceneTooLarge, match="smaller aoi") as error:
        read_both(range_server, replace(LIMITS, max_bytes=0.75 * size))
    assert error.value.details["max_bytes"] == 0.75 * size


def test_last_bytes_of_the_disk_are_left_alone(range_server: RangeServer) -> None:
    with pytest.raises(LocalCopyNotWritten, match="nearly full") as error:
        read_both(range_server, replace(LIMITS, disk_reserve=1e18))
    assert error.value.retryable
