"""A series of small windows: what a job has learnt of a scene, the next one of the process need not ask again."""

from pathlib import Path

import pytest

from tests.raster.quality.test_depth import FAR, SMALL, as_cogs, scene
from tests.raster.support.memories import forget_hosts
from tests.raster.support.pairs import AFTER, BEFORE, ndvi, serve_shots
from tests.servers import RangeServer, StacServer

BESIDE = [-122.4200, 37.6900, -122.4000, 37.7050]


def test_window_of_a_scene_that_was_asked_for_lately_waits_for_one_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RangeServer(tmp_path / "files") as files:
        files.names_versions = True
        with StacServer(tmp_path / "stac") as stac:
            config = serve_shots(stac, files, scene(BEFORE, mask=True), scene(AFTER, mask=True))
            as_cogs(files.folder)
            alone = ndvi(config, tmp_path / "alone", aoi=BESIDE)
            forget_hosts(monkeypatch)
            ndvi(config, tmp_path / "first", aoi=SMALL)
        files.times.clear()
        files.delay = FAR
        second = ndvi(config, tmp_path / "second", aoi=BESIDE)  # the catalogue is away now
        assert files.depth == 1
    assert second.product.sha256 == alone.product.sha256
