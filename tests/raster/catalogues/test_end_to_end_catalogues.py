"""Whole jobs over real scenes behind a real STAC API and a server of byte ranges that is 50 ms away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.catalogues import stac
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.operations.ndvi import NdviParams
from processing.raster.params import Params
from processing.raster.pipeline import run
from processing.raster.types import Config, Product, RasterJob, SceneId
from tests.raster.catalogues.pgstac import pgstac
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import float_ndvi, read_tif
from tests.raster.support.real_scenes import (
    LANDSAT,
    SCENES,
    landsat_item,
    real_items,
    scene_file,
    serve_files,
    serve_landsat_files,
)
from tests.raster.support.served_catalogues import catalogues
from tests.servers import RangeServer

DELAY = 0.05
BEFORE, AFTER = "S2A_33TWL_20230815_0_L2A", "S2B_33TWL_20230820_0_L2A"


@pytest.fixture(scope="module", params=[catalogues, pgstac], ids=["rustac", "pgstac"])
def far(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Config, RangeServer]]:
    """Settings by which the real scenes are found and read, and the server of their files."""
    folder = tmp_path_factory.mktemp("far")
    with RangeServer(folder / "files", DELAY) as files:
        serve_files(shared_data, files)
        serve_landsat_files(shared_data, files)
        sentinel = ("sentinel-2-l2a", real_items(shared_data, files.url))
        landsat = ("landsat-c2l2-sr", [landsat_item(shared_data, files.url)])
        with request.param(folder / "catalogues", sentinel, landsat) as (sentinel_root, landsat_root):
            roots = {"sentinel-2": [sentinel_root], "landsat": [landsat_root]}
            hosts = frozenset(url.removeprefix("http://") for url in (files.url, sentinel_root, landsat_root))
            yield config_for(roots=roots, private_hosts=hosts), files


def run_far(
    far: tuple[Config, RangeServer], directory: Path, operation: str, names: list[str], params: Params
) -> Product:
    provider = "landsat" if names[0].startswith("L") else "sentinel-2"
    ids = tuple(SceneId(provider=provider, original_id=name) for name in names)
    return run(RasterJob(operation=operation, scene_ids=ids, params=params), directory, lambda share: None, far[0])


def test_ndvi_of_a_real_landsat_scene_is_that_of_its_description(
    far: tuple[Config, RangeServer], tmp_path: Path
) -> None:
    product = run_far(far, tmp_path, "ndvi", [LANDSAT], NdviParams(cloud_mask=True))
    # The median in the description of the data. Without scale and offset it would be 0.40.
    assert np.nanmedian(read_tif(product.path)) == pytest.approx(0.78, abs=0.01)
    (scene,) = product.provenance["scenes"]
    assert (scene["item"], scene["mask"]) == (f"{LANDSAT}_SR", "qa_pixel")
    assert {band["offset"] for band in scene["bands"].values()} == {-0.2}


def test_ndvi_of_a_real_sentinel_2_scene_is_what_numpy_computes(
    far: tuple[Config, RangeServer], shared_data: Path, tmp_path: Path
) -> None:
    product = run_far(far, tmp_path, "ndvi", [SCENES[AFTER]], NdviParams())
    red, nir = (read_tif(scene_file(shared_data, AFTER, name)).astype(np.float64) for name in ("B04.tif", "B08.tif"))
    expected = float_ndvi(red * 1e-4, nir * 1e-4, (red != 0) & (nir != 0))
    np.testing.assert_allclose(read_tif(product.path), expected, rtol=0, atol=1e-6)


def test_little_changes_between_two_real_dates_of_one_week(
    far: tuple[Config, RangeServer], shared_data: Path, tmp_path: Path
) -> None:
    """Five days of August. An offset that is wrong in one of them would make most of the land a change."""
    params = ChangeDetectionParams(cloud_mask=True, mask_dilation=0)
    product = run_far(far, tmp_path, "change_detection", [SCENES[BEFORE], SCENES[AFTER]], params)
    classes = read_tif(product.path)
    clear = clear_in_both(shared_data)
    assert classes.shape == clear.shape
    np.testing.assert_array_equal(classes != 255, clear)
    loss = int((classes == 2).sum()) / int(clear.sum())
    assert 0 < loss < 0.15
    assert set(np.unique(classes)) <= {0, 1, 2, 3, 4, 255}


def clear_in_both(shared_data: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where both dates have data and the scene classification hides neither."""
    clear = np.ones((915, 915), bool)
    for item_id in (BEFORE, AFTER):
        clear &= ~np.isin(read_tif(scene_file(shared_data, item_id, "SCL.tif")), [0, 1, 3, 8, 9, 10, 11])
        for name in ("B04.tif", "B08.tif"):
            clear &= read_tif(scene_file(shared_data, item_id, name)) != 0
    return clear


def test_only_the_needed_files_are_asked_for_each_once(far: tuple[Config, RangeServer], tmp_path: Path) -> None:
    """No folder is listed and no file beside them is looked for."""
    _, files = far
    files.requests.clear()
    run_far(far, tmp_path, "ndvi", [SCENES[BEFORE]], NdviParams(cloud_mask=True))
    asked = [path for _, path, _ in files.requests]
    assert set(asked) == {f"/{BEFORE}/{name}.tif" for name in ("B04", "B08", "SCL")}
    assert sum(1 for _, _, span in files.requests if span and span.startswith("bytes=0-")) == 3


def test_all_pages_of_a_search_are_followed(far: tuple[Config, RangeServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stac, "_PAGE", 2)
    config, _ = far
    start, end = datetime(2023, 8, 1, tzinfo=UTC), datetime(2023, 9, 1, tzinfo=UTC)
    found = stac.StacApi(config.catalogues.roots["sentinel-2"][0], config.network.private_hosts, seconds=10).search(
        ["sentinel-2-l2a"], start, end
    )
    assert sorted(item["id"] for item in found) == sorted(SCENES)
