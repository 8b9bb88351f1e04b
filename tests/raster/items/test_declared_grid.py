"""The grid that an item declares: of real items of each catalogue, and none rather than nonsense."""

from pathlib import Path
from typing import Any

import pytest

from processing.raster.items.declared_grid import declared_grid
from processing.raster.radiometry.bands import find_asset
from processing.raster.types import LocalFile, Scene, SceneId
from tests.raster.support.served_catalogues import stored_item

# file, zone, (rows, columns), west, north, metres
ITEMS = [
    ("earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A", 32632, (10980, 10980), 600000, 5200020, 10),
    ("earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A", 32638, (10980, 10980), 499980, 8100000, 10),
    ("pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529", 32606, (10980, 10980), 399960, 6800040, 10),
    ("cdse-v1_s2-l2a_stac11_FeatureCollection_N0500", 32636, (10980, 10980), 699960, 300000, 10),
    ("landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR", 32615, (8041, 7931), 173085, 4904715, 30),
    ("stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1", 32617, (7741, 7611), 491985, -683685, 30),
]


@pytest.mark.parametrize(("file", "zone", "shape", "west", "north", "metres"), ITEMS)
def test_grid_of_a_real_item(
    shared_data: Path, file: str, zone: int, shape: tuple[int, int], west: float, north: float, metres: float
) -> None:
    item = stored_item(shared_data, file)
    sources = dict.fromkeys(item["assets"], LocalFile(path=shared_data))
    scene = Scene(id=SceneId(provider="sentinel-2", original_id="asked-for"), item=item, sources=sources)
    grid = declared_grid(scene, find_asset(scene, "red"))
    assert grid is not None
    assert (grid.epsg, grid.shape, grid.gsd) == (zone, shape, metres)
    assert (grid.transform.c, grid.transform.f) == (west, north)


ASSET: dict[str, Any] = {
    "proj:epsg": 32610,
    "proj:shape": [200, 100],
    "proj:transform": [10, 0, 540_000, 0, -10, 4_180_000, 0, 0, 1],
}


def scene_of(asset: dict[str, Any], **properties: Any) -> Scene:
    item = {"id": "one", "properties": properties, "assets": {"red": asset}}
    return Scene(id=SceneId(provider="sentinel-2", original_id="one"), item=item, sources={})


def test_asset_goes_before_the_item() -> None:
    grid = declared_grid(scene_of(ASSET, **{"proj:code": "EPSG:32611", "proj:shape": [1, 1]}), "red")
    assert grid is not None
    assert (grid.proj_code, grid.shape) == ("EPSG:32610", (200, 100))


def test_shape_follows_from_the_bounding_box() -> None:
    asset = {**ASSET, "proj:shape": None, "proj:bbox": [540_000, 4_178_000, 541_000, 4_180_000]}
    grid = declared_grid(scene_of(asset), "red")
    assert grid is not None
    assert grid.shape == (200, 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"proj:epsg": None},
        {"proj:epsg": 4326},
        {"proj:epsg": "32610\n"},
        {"proj:epsg": -32610},
        {"proj:epsg": {}},
        {"proj:code": "IAU_2015:30100"},
        {"proj:code": "EPSG:" + "9" * 5000},
        {"proj:shape": [0, 100]},
        {"proj:shape": [200]},
        {"proj:shape": ["200", "100"]},
        {"proj:shape": [10**9, 10**9]},
        {"proj:shape": [True, True]},
        {"proj:shape": {"rows": 200}},
        {"proj:transform": [10, 0, 540_000]},
        {"proj:transform": [0, 0, 540_000, 0, 0, 4_180_000]},
        {"proj:transform": [10, 0, 10**400, 0, -10, 4_180_000]},
        {"proj:transform": "10 0 540000 0 -10 4180000"},
        {"proj:transform": None},
    ],
)
def test_nonsense_is_no_grid(wrong: dict[str, Any]) -> None:
    assert declared_grid(scene_of({**ASSET, **wrong}), "red") is None
