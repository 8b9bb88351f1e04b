"""The Sentinel-2 provider finds real scenes by every form of their names, in a real STAC API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processing.raster.catalogues.providers import get_provider
from processing.raster.errors import AmbiguousSceneId, InvalidSceneId, SceneNotFound
from processing.raster.types import RemoteFile, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.real_scenes import SCENES, as_product, real_item, real_items
from tests.servers import StacServer

COLLECTION = "sentinel-2-l2a"
FILES = "http://files.example"
WL, WM = "S2B_33TWL_20230820_0_L2A", "S2B_33TWM_20230820_0_L2A"
SEQUENCE_1 = "S2B_33TWL_20230820_1_L2A"
PRODUCT = SCENES[WL]
REPROCESSED = "S2B_MSIL2A_20230820T094549_N0510_R079_T33TWL_20241020T124817"
AGAIN = "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230821T010203"

Finder = Callable[[str], Scene]


def find(original_id: str, root: str, host: str) -> Scene:
    config = config_for(roots={"sentinel-2": (root,)}, private_hosts=frozenset({host, "files.example"}))
    return get_provider("sentinel-2").find(
        SceneId(provider="sentinel-2", original_id=original_id), config.catalogues, config.network
    )


def finder(server: StacServer, items: list[dict[str, Any]]) -> Finder:
    root = server.serve(COLLECTION, items)
    return lambda original_id: find(original_id, root, server.host)


@pytest.fixture
def real(stac_server: StacServer, shared_data: Path) -> Finder:
    return finder(stac_server, real_items(shared_data, FILES))


def test_product_name_leads_to_its_scene(real: Finder) -> None:
    for item_id, product in SCENES.items():
        for name in (product, f"{product}.SAFE"):
            scene = real(name)
            assert scene.item_id == item_id
            assert str(scene.id) == f"sentinel-2:{name}"
    unambiguous = "S2A_MSIL2A_20230815T095031"
    for name in (unambiguous, f"{unambiguous}_N0509", f"{unambiguous}_N0509_R079", f"{unambiguous}_T33TWL"):
        assert real(name).item_id == "S2A_33TWL_20230815_0_L2A"
    assert real("S2B_MSIL2A_20230820T094549_N0509_R079_T33TWM").item_id == WM


def test_scene_has_the_sources_of_its_files_that_can_be_read(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    item["assets"]["red-jp2"]["href"] = "s3://sentinel-s2-l2a/tiles/33/T/WL/2023/8/20/0/B04.jp2"
    item["assets"]["blue"] = {**item["assets"]["blue"], "href": "/etc/passwd", "alternate": {}}
    scene = finder(stac_server, [item])(PRODUCT)
    assert scene.sources["red"] == RemoteFile(url=f"{FILES}/{WL}/B04.tif")
    assert "red-jp2" not in scene.sources
    assert "blue" not in scene.sources
    assert scene.assets["red-jp2"]
    assert scene.properties["earthsearch:boa_offset_applied"] is True


def test_id_of_an_item_leads_to_that_item(real: Finder) -> None:
    for item_id in SCENES:
        scene = real(item_id)
        assert scene.item_id == item_id
        assert str(scene.id) == f"sentinel-2:{item_id}"
    with pytest.raises(SceneNotFound) as error:
        real(SEQUENCE_1)
    assert error.value.details["scene_id"] == f"sentinel-2:{SEQUENCE_1}"


def test_name_of_several_tiles_is_ambiguous(real: Finder) -> None:
    with pytest.raises(AmbiguousSceneId) as error:
        real("S2B_MSIL2A_20230820T094549")
    assert error.value.details["candidates"] == [f"sentinel-2:{SCENES[item]}" for item in (WL, WM)]
    assert f"sentinel-2:{SCENES[WL]}" in error.value.message


def test_ten_of_many_candidates_are_named(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    tiles = [f"33T{letter}L" for letter in "ABCDEFGHJKLMNPQ"]
    items = [as_product(item, f"S2B_{tile}_20230820_0_L2A", PRODUCT.replace("T33TWL", f"T{tile}")) for tile in tiles]
    with pytest.raises(AmbiguousSceneId) as error:
        finder(stac_server, items)("S2B_MSIL2A_20230820T094549_N0509")
    candidates = error.value.details["candidates"]
    products = {item["properties"]["s2:product_uri"].removesuffix(".SAFE") for item in items}
    assert len(set(candidates)) == 10
    assert {candidate.removeprefix("sentinel-2:") for candidate in candidates} <= products


@pytest.mark.parametrize(
    "unknown",
    [
        "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWN_20230820T124817",
        "S2A_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817",
        "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124818",
        "S2B_MSIL2A_20230820T094549_N0511_R079_T33TWL_20230820T124817",
        "S2B_MSIL2A_20230820T094548",
        "S2B_MSIL2A_20220820T094549",
    ],
)
def test_name_of_no_scene_is_not_found(real: Finder, unknown: str) -> None:
    with pytest.raises(SceneNotFound) as error:
        real(unknown)
    assert error.value.details["scene_id"] == f"sentinel-2:{unknown}"
    assert unknown in error.value.message


def test_item_with_the_computed_id_of_another_product_is_not_taken(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    items = [item, as_product(item, SEQUENCE_1, REPROCESSED)]
    search = finder(stac_server, items)
    assert search(PRODUCT).item_id == WL
    assert search(REPROCESSED).item_id == SEQUENCE_1
    with pytest.raises(SceneNotFound):
        search(PRODUCT.replace("N0509", "N0511"))


def test_item_with_a_higher_sequence_is_found_by_search(shared_data: Path, stac_server: StacServer) -> None:
    item = real_item(shared_data, WL, FILES)
    items = [item, as_product(item, "S2B_33TWL_20230820_2_L2A", REPROCESSED)]
    assert finder(stac_server, items)(REPROCESSED).item_id == "S2B_33TWL_20230820_2_L2A"


def test_item_id_of_a_zone_below_10_has_no_leading_zero(shared_data: Path, stac_server: StacServer) -> None:
    product = "S2B_MSIL2A_20230820T094549_N0509_R079_T07VEG_20230820T124817"
    item = as_product(real_item(shared_data, WL, FILES), "S2B_7VEG_20230820_0_L2A", product)
    item["properties"]["datetime"] = "2021-01-01T00:00:00Z"  # only the computed id can find it
    assert finder(stac_server, [item])(product).item_id == "S2B_7VEG_20230820_0_L2A"


@pytest.mark.parametrize(("second", "short"), [
    (REPROCESSED, "S2B_MSIL2A_20230820T094549_T33TWL"),
    (REPROCESSED, "S2B_MSIL2A_20230820T094549_R079_T33TWL"),
    (REPROCESSED, "S2B_MSIL2A_20230820T094549"),
    (AGAIN, "S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL"),
])  # fmt: skip
def test_name_of_two_processings_of_one_tile_is_ambiguous(
    shared_data: Path, stac_server: StacServer, second: str, short: str
) -> None:
    item = real_item(shared_data, WL, FILES)
    with pytest.raises(AmbiguousSceneId) as error:
        finder(stac_server, [item, as_product(item, SEQUENCE_1, second)])(short)
    assert set(error.value.details["candidates"]) == {f"sentinel-2:{PRODUCT}", f"sentinel-2:{second}"}


@pytest.mark.parametrize(
    "malformed",
    [
        "S2B_33TWL_20230820_L2A",
        "S2B_33TWL_20230820_0_L1C",
        "S2B_33TWL_20230820_0_L2A.SAFE",
        "S2E_33TWL_20230820_0_L2A",
        "S2B_MSIL1C_20230820T094549",
        "S2B_MSIL2A_20231320T094549",
        "anything",
    ],
)
def test_malformed_name_is_refused_and_no_host_is_asked(malformed: str) -> None:
    with pytest.raises(InvalidSceneId):
        get_provider("sentinel-2").check_id(SceneId(provider="sentinel-2", original_id=malformed))
    with pytest.raises(InvalidSceneId):
        find(malformed, "http://127.0.0.1:1", "127.0.0.1:1")
