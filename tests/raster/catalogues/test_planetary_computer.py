"""Ids of Planetary Computer: Sentinel-2 without its baseline, Landsat without its day of processing."""

from pathlib import Path

import pytest

from processing.raster.errors import AmbiguousSceneId, InvalidSceneId, ProviderUnavailable, SceneNotFound
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import RemoteFile, Scene
from tests.raster.support.served_catalogues import (
    Item,
    catalogues,
    changed,
    closed_root,
    find,
    hrefs_replaced,
    stored_item,
)

SENTINEL_2, LANDSAT = "sentinel-2-l2a", "landsat-c2-l2"
VVN_ID = "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531"
VVN_PRODUCT = "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531"
NEWER_ID = "S2B_MSIL2A_20190629T212529_R043_T06VVN_20230725T010203"
NEWER_PRODUCT = "S2B_MSIL2A_20190629T212529_N0500_R043_T06VVN_20230725T010203"
OLI_2, OLI_2_SHORT = "LC09_L2SP_010065_20220129_20220131_02_T1", "LC09_L2SP_010065_20220129_02_T1"
TOKENS = "https://tokens.example/sas"

pytestmark = pytest.mark.usefixtures("hurried")


def planetary(original_id: str, *roots: str) -> Scene:
    return find("planetary-computer", original_id, *roots, token_root=TOKENS)


@pytest.fixture
def vvn(shared_data: Path) -> Item:
    return stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")


@pytest.fixture
def newer(vvn: Item) -> Item:
    """The same tile and datatake, processed again with another baseline."""
    return changed(vvn, NEWER_ID, s2__product_uri=f"{NEWER_PRODUCT}.SAFE", s2__processing_baseline="05.00")


@pytest.fixture
def oli(shared_data: Path) -> Item:
    item = stored_item(shared_data, f"stactools-landsat_c2l2_pc-shape_{OLI_2_SHORT}")
    return hrefs_replaced(item, "files.example", "landsateuwest.blob.core.windows.net")


@pytest.mark.parametrize(
    "name",
    [
        VVN_ID,
        VVN_PRODUCT,
        f"{VVN_PRODUCT}.SAFE",
        "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN",
        "S2B_MSIL2A_20190629T212529_R043_T06VVN",
        "S2B_MSIL2A_20190629T212529_T06VVN",
        "S2B_MSIL2A_20190629T212529_N0212_R043",
        "S2B_MSIL2A_20190629T212529_R043",
        "S2B_MSIL2A_20190629T212529",
    ],
)
def test_every_form_of_a_sentinel_2_name_leads_to_its_item(tmp_path: Path, vvn: Item, name: str) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn])) as (root,):
        scene = planetary(name, root)
    assert (scene.item_id, str(scene.id)) == (VVN_ID, f"planetary-computer:{name}")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ["S2B_MSIL2A_20190629T212529_R043_T06VVN", "S2B_MSIL2A_20190629T212529_T06VVN"])
def test_newest_of_several_processings_is_meant_if_the_id_names_none(
    tmp_path: Path, vvn: Item, newer: Item, name: str, order: int
) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn, newer][::order])) as (root,):
        assert planetary(name, root).item_id == NEWER_ID


@pytest.mark.parametrize("name", [VVN_ID, VVN_PRODUCT, "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN"])
def test_processing_that_the_id_names_is_taken(tmp_path: Path, vvn: Item, newer: Item, name: str) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn, newer])) as (root,):
        assert planetary(name, root).item_id == VVN_ID


@pytest.mark.parametrize("wrong", ["S2B_MSIL2A_20190629T212529_N0500_R043_T06VVN_20201006T080531",
                                   "S2B_MSIL2A_20190629T212529_R044_T06VVN",
                                   "S2B_MSIL2A_20190629T212529_R043_T06VVM",
                                   "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080532"])  # fmt: skip
def test_neighbouring_scene_is_not_taken(tmp_path: Path, vvn: Item, wrong: str) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn])) as (root,), pytest.raises(SceneNotFound):
        planetary(wrong, root)


def test_datatake_that_names_many_tiles_is_ambiguous(tmp_path: Path, vvn: Item) -> None:
    tiles = [f"06V{letter}N" for letter in "ABCDEFGHJKLM"]
    others = [
        changed(vvn, VVN_ID.replace("06VVN", tile), s2__product_uri=VVN_PRODUCT.replace("06VVN", tile) + ".SAFE")
        for tile in tiles
    ]
    with catalogues(tmp_path, (SENTINEL_2, others)) as (root,):
        with pytest.raises(AmbiguousSceneId) as error:
            planetary("S2B_MSIL2A_20190629T212529", root)
        candidates = error.value.details["candidates"]
        assert len(set(candidates)) == 10
        assert planetary(candidates[3].partition(":")[2], root).item_id in {item["id"] for item in others}


@pytest.mark.parametrize("name", [OLI_2, OLI_2_SHORT])
def test_landsat_drops_the_day_of_processing(tmp_path: Path, oli: Item, name: str) -> None:
    with catalogues(tmp_path, (LANDSAT, [oli])) as (root,):
        assert planetary(name, root).item_id == OLI_2_SHORT


def test_landsat_item_of_another_day_of_processing_is_not_taken(tmp_path: Path, oli: Item) -> None:
    with catalogues(tmp_path, (LANDSAT, [oli])) as (root,), pytest.raises(SceneNotFound):
        planetary(OLI_2.replace("_20220131_", "_20230501_"), root)


@pytest.mark.parametrize(("collection", "name"), [(SENTINEL_2, VVN_ID), (LANDSAT, OLI_2)])
def test_files_are_signed_with_the_token_of_their_collection(
    tmp_path: Path, vvn: Item, oli: Item, collection: str, name: str
) -> None:
    """No token is asked for before a file is read: nobody listens at tokens.example."""
    with catalogues(tmp_path, (collection, [vvn if collection == SENTINEL_2 else oli])) as (root,):
        source = resolve_band(planetary(name, root), "red").source
    assert isinstance(source, RemoteFile)
    assert source.token_url == f"{TOKENS}/{collection}"
    assert "?" not in source.url


def test_next_catalogue_is_asked_if_the_first_is_down(tmp_path: Path, vvn: Item) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn])) as (root,):
        assert planetary(VVN_ID, closed_root(), root).item_id == VVN_ID


def test_scene_is_not_called_missing_if_a_catalogue_is_down(tmp_path: Path, vvn: Item) -> None:
    with catalogues(tmp_path, (SENTINEL_2, [vvn])) as (root,), pytest.raises(ProviderUnavailable):
        planetary(NEWER_ID, root, closed_root())


@pytest.mark.parametrize(
    "malformed",
    ["S2B_MSIL1C_20190629T212529", "S2B_33TWL_20230820_0_L2A", "LC09_L1TP_010065_20220129_02_T1", "L", "anything"],
)
def test_malformed_id_is_refused_before_a_host_is_asked(malformed: str) -> None:
    with pytest.raises(InvalidSceneId):
        planetary(malformed, closed_root())
