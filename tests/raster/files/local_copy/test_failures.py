"""Hosts and disks that fail in the middle of a copy: named, and nothing stays on the disk."""

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from processing.raster.errors import LocalCopyNotWritten, ProviderUnavailable, SceneUnreadable
from processing.raster.reading import OpenRasters
from processing.raster.types import RemoteFile
from tests.raster.files.local_copy.copies import DN, LARGE, assert_parts_are_those_of_the_disk, cog, remote
from tests.raster.files.local_copy.slow_server import SlowServer
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import band, described, read_dn
from tests.servers import RangeServer

pytestmark = pytest.mark.usefixtures("gdal")


def test_nothing_stays_if_the_host_fails_in_the_middle(slow_server: SlowServer) -> None:
    asked = [band(remote(slow_server, cog(slow_server.folder / name, LARGE))[0]) for name in ("red.tif", "nir.tif")]
    slow_server.fails = True
    slow_server.may_go.set()
    config = config_for(private_hosts=frozenset({slow_server.host}))
    with TemporaryDirectory() as folder:
        with OpenRasters(config.network, config.limits, Path(folder)) as rasters:
            file, _ = rasters.describe(asked)
            assert len([*Path(folder).iterdir()]) == 2
            with pytest.raises(ProviderUnavailable):
                read_dn(file, slice(0, 10), slice(0, 10))
        assert [*Path(folder).iterdir()] == []


def test_nothing_stays_if_one_of_the_files_is_absent(range_server: RangeServer) -> None:
    present, config = remote(range_server, cog(range_server.folder / "red.tif", LARGE))
    absent = RemoteFile(url=f"{range_server.url}/absent.tif")
    with TemporaryDirectory() as folder:
        with OpenRasters(config.network, config.limits, Path(folder)) as rasters, pytest.raises(SceneUnreadable):
            rasters.describe([band(present), band(absent)])
        assert [*Path(folder).iterdir()] == []


@pytest.mark.parametrize("is_full_from_the_start", [True, False])
def test_full_disk_is_not_the_fault_of_the_file(
    range_server: RangeServer, monkeypatch: pytest.MonkeyPatch, is_full_from_the_start: bool
) -> None:
    source, config = remote(range_server, cog(range_server.folder / "red.tif", LARGE))

    def full(descriptor: int, part: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with ExitStack() as files:
        file = None if is_full_from_the_start else files.enter_context(described(band(source), config))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(LocalCopyNotWritten) as error:
            read_dn(file, slice(0, 10), slice(0, 10)) if file else files.enter_context(described(band(source), config))
    assert error.value.details["asset"] == "red"


def test_disk_that_takes_little_at_a_time_is_written_whole(
    range_server: RangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, part, offset: write(file, part[:1000], offset))
    assert_parts_are_those_of_the_disk(range_server, cog(range_server.folder / "red.tif", DN))
