"""Ids of Sentinel-2 in every form, in both collections of Earth Search and in that of CDSE."""

from pathlib import Path

import pytest

from processing.raster.errors import AmbiguousSceneId, InvalidSceneId, ProviderUnavailable, SceneNotFound
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import S3Access, S3File, Scene
from tests.raster.support.memories import forget_hosts
from tests.raster.support.served_catalogues import Item, catalogues, changed, closed_root, find, stored_item

V1, C1 = "sentinel-2-l2a", "sentinel-2-c1-l2a"
TPS_ID, TPS_PRODUCT = "S2A_32TPS_20230602_0_L2A", "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
XNF_ID, XNF_PRODUCT = "S2B_T38XNF_20250422T091553_L2A", "S2B_MSIL2A_20250422T091559_N0511_R093_T38XNF_20250422T101110"
CDSE_PRODUCT = "S2B_MSIL2A_20200322T074609_N0500_R135_T36NYH_20230612T214223"
XWJ_PRODUCT = "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126"

pytestmark = pytest.mark.usefixtures("hurried")


def sentinel_2(original_id: str, *roots: str) -> Scene:
    return find("sentinel-2", original_id, *roots)


@pytest.fixture
def tps(shared_data: Path) -> Item:
    return stored_item(shared_data, f"earthsearch-v1_s2-l2a_2023_boa-true_{TPS_ID}")


@pytest.fixture
def xnf(shared_data: Path) -> Item:
    return stored_item(shared_data, f"earthsearch-v1_s2-c1-l2a_stac11_{XNF_ID}")


def shortened(product: str) -> list[str]:
    """The name with each of its last four parts left out, one after the other, and those in the middle."""
    start, (baseline, orbit, tile, made) = product[:26], product[27:].split("_")
    return [
        product,
        f"{product}.SAFE",
        f"{start}_{baseline}_{orbit}_{tile}",
        f"{start}_{baseline}_{orbit}",
        f"{start}_{baseline}",
        start,
        f"{start}_{orbit}_{tile}_{made}",  # missing baseline
        f"{start}_{orbit}_{tile}",
        f"{start}_{tile}",
    ]


@pytest.mark.parametrize("form", range(9))
def test_every_form_of_the_name_leads_to_the_item_of_the_older_collection(tmp_path: Path, tps: Item, form: int) -> None:
    name = shortened(TPS_PRODUCT)[form]
    with catalogues(tmp_path, (V1, [tps])) as (root,):
        scene = sentinel_2(name, root)
    assert (scene.item_id, str(scene.id)) == (TPS_ID, f"sentinel-2:{name}")


@pytest.mark.parametrize("form", range(9))
def test_every_form_of_the_name_is_found_by_search_in_the_c1_collection(tmp_path: Path, xnf: Item, form: int) -> None:
    """Its id holds the time of the datastrip, six seconds before that of the datatake, so it cannot be computed."""
    with catalogues(tmp_path, (C1, [xnf])) as (root,):
        assert sentinel_2(shortened(XNF_PRODUCT)[form], root).item_id == XNF_ID


@pytest.mark.parametrize("form", range(9))
def test_every_form_of_the_name_leads_to_the_item_of_cdse(tmp_path: Path, shared_data: Path, form: int) -> None:
    item = stored_item(shared_data, "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500")
    with catalogues(tmp_path, (V1, [item])) as (root,):
        access = S3Access(access_key="a", secret_key="b", endpoint="eodata.dataspace.copernicus.eu")
        scene = find("sentinel-2", shortened(CDSE_PRODUCT)[form], root, s3=access)
    assert scene.item_id == CDSE_PRODUCT
    source = resolve_band(scene, "red").source
    assert isinstance(source, S3File)
    assert source.bucket == "eodata"
    assert source.key.endswith("/T36NYH_20200322T074609_B04_10m.jp2")


@pytest.mark.parametrize("item_id", [TPS_ID, XNF_ID])
def test_id_of_an_item_leads_to_that_item(tmp_path: Path, tps: Item, xnf: Item, item_id: str) -> None:
    with catalogues(tmp_path, (V1, [tps]), (C1, [xnf])) as roots:
        assert sentinel_2(item_id, *roots).item_id == item_id


@pytest.mark.parametrize("wrong", [TPS_PRODUCT.replace("N0509", "N0510"), TPS_PRODUCT.replace("T162001", "T162002"),
                                   TPS_PRODUCT.replace("R022", "R023"), TPS_PRODUCT.replace("S2A", "S2B")])  # fmt: skip
def test_item_with_the_computed_id_of_another_product_is_not_taken(tmp_path: Path, tps: Item, wrong: str) -> None:
    """There is an item S2A_32TPS_20230602_0_L2A, but of another product than the one asked for."""
    with catalogues(tmp_path, (V1, [tps])) as (root,), pytest.raises(SceneNotFound):
        sentinel_2(wrong, root)


def test_second_processing_of_a_day_is_found_by_its_number(tmp_path: Path, tps: Item) -> None:
    again = TPS_PRODUCT.replace("N0509", "N0510").replace("20230602T162001", "20241015T010203")
    second = changed(tps, "S2A_32TPS_20230602_1_L2A", s2__product_uri=f"{again}.SAFE")
    with catalogues(tmp_path, (V1, [tps, second])) as (root,):
        assert sentinel_2(again, root).item_id == "S2A_32TPS_20230602_1_L2A"
        assert sentinel_2(TPS_PRODUCT, root).item_id == TPS_ID
        with pytest.raises(AmbiguousSceneId):
            sentinel_2(TPS_PRODUCT.replace("_N0509", "").rpartition("_")[0], root)


def test_item_without_a_product_name_is_found_by_datatake_and_tile(tmp_path: Path, xnf: Item) -> None:
    assert xnf["properties"]["s2:datatake_id"] == "GS2B_20250422T091559_042447_N05.11"
    del xnf["properties"]["s2:product_uri"]
    with catalogues(tmp_path, (C1, [xnf])) as (root,):
        assert sentinel_2(XNF_PRODUCT, root).item_id == XNF_ID


def test_item_of_another_datatake_without_a_product_name_is_not_taken(tmp_path: Path, xnf: Item) -> None:
    del xnf["properties"]["s2:product_uri"]
    with catalogues(tmp_path, (C1, [xnf])) as (root,), pytest.raises(SceneNotFound):
        sentinel_2(XNF_PRODUCT.replace("S2B_MSIL2A_20250422T091559", "S2B_MSIL2A_20250422T091459"), root)


@pytest.mark.parametrize("sensed", ["2025-04-22T09:10:59Z", "2025-04-22T09:19:42Z", "2025-04-22T10:15:58Z"])
def test_scene_is_looked_for_from_5_minutes_before_its_datatake_to_60_after(
    tmp_path: Path, xnf: Item, sensed: str
) -> None:
    with catalogues(tmp_path, (C1, [changed(xnf, XNF_ID, datetime=sensed)])) as (root,):
        assert sentinel_2(XNF_PRODUCT, root).item_id == XNF_ID


def test_newer_collection_is_asked_if_the_older_has_no_such_product(tmp_path: Path, tps: Item, xnf: Item) -> None:
    with catalogues(tmp_path, (V1, [tps]), (C1, [xnf])) as roots:
        assert sentinel_2(XNF_PRODUCT, *roots).item_id == XNF_ID
        assert sentinel_2(TPS_PRODUCT, *roots).item_id == TPS_ID


def test_catalogue_that_the_operator_names_first_is_read_if_both_have_the_product(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tps: Item, xnf: Item
) -> None:
    both = changed(xnf, "S2A_T32TPS_20230602T100553_L2A", s2__product_uri=f"{TPS_PRODUCT}.SAFE")
    both["properties"]["datetime"] = tps["properties"]["datetime"]
    both |= {"geometry": tps["geometry"], "bbox": tps["bbox"]}
    with catalogues(tmp_path, (V1, [tps]), (C1, [both])) as (older, newer):
        assert sentinel_2(TPS_PRODUCT, older, newer).item_id == TPS_ID
        forget_hosts(monkeypatch)
        assert sentinel_2(TPS_PRODUCT, newer, older).item_id == both["id"]


def test_next_catalogue_is_asked_if_the_first_is_down(tmp_path: Path, tps: Item) -> None:
    with catalogues(tmp_path, (V1, [tps])) as (root,):
        assert sentinel_2(TPS_PRODUCT, closed_root(), root).item_id == TPS_ID


def test_scene_is_not_called_missing_if_a_catalogue_is_down(tmp_path: Path, tps: Item) -> None:
    """One catalogue does not have it and the other does not answer."""
    down = closed_root()
    with catalogues(tmp_path, (V1, [tps])) as (root,):
        for roots in ((root, down), (down, root)):
            with pytest.raises(ProviderUnavailable) as error:
                sentinel_2(XNF_PRODUCT, *roots)
            assert error.value.details["host"] == down.removeprefix("http://")
            assert error.value.retryable


def test_scene_that_no_catalogue_has_is_not_found(tmp_path: Path, tps: Item, xnf: Item) -> None:
    with catalogues(tmp_path, (V1, [tps]), (C1, [xnf])) as roots, pytest.raises(SceneNotFound) as error:
        sentinel_2(XWJ_PRODUCT, *roots)
    assert error.value.details == {"scene_id": f"sentinel-2:{XWJ_PRODUCT}"}
    assert XWJ_PRODUCT in error.value.message


def neighbours(item: Item, count: int) -> list[Item]:
    """Tiles of the same datatake in the c1 collection."""
    tiles = [f"38X{a}{b}" for a in "ABCDEFGHJKLMNPQRSTUVWXYZ" for b in "ABCDEFGHJKLMPQRSTUVWXYZ" if a + b != "NF"]
    tiles = (tiles * 3)[:count]
    return [
        changed(item, f"S2B_T{tile}_20250422T091553_L2A", s2__product_uri=XNF_PRODUCT.replace("38XNF", tile) + ".SAFE")
        for tile in tiles
    ]


def test_datatake_of_dozens_of_tiles_is_ambiguous_and_ten_are_named(tmp_path: Path, xnf: Item) -> None:
    with catalogues(tmp_path, (C1, [xnf, *neighbours(xnf, 40)])) as (root,):
        with pytest.raises(AmbiguousSceneId) as error:
            sentinel_2("S2B_MSIL2A_20250422T091559", root)
        candidates = error.value.details["candidates"]
        assert (len(candidates), len(set(candidates))) == (10, 10)
        # Every candidate is an id that can be asked for as it stands.
        chosen = sentinel_2(candidates[0].removeprefix("sentinel-2:"), root)
        assert f"sentinel-2:{chosen.properties['s2:product_uri']}" == f"{candidates[0]}.SAFE"


def test_tile_is_found_among_all_that_were_sensed_in_its_hour(tmp_path: Path, xnf: Item) -> None:
    """Three satellites sense more than a thousand tiles in the 65 minutes that are searched."""
    small = {**xnf, "assets": {"red": xnf["assets"]["red"]}}
    with catalogues(tmp_path, (C1, [*neighbours(small, 1200), small])) as (root,):
        assert sentinel_2(XNF_PRODUCT, root).item_id == XNF_ID


def test_absent_tile_is_not_found_among_all_that_were_sensed_in_its_hour(tmp_path: Path, xnf: Item) -> None:
    small = {**xnf, "assets": {"red": xnf["assets"]["red"]}}
    with catalogues(tmp_path, (C1, neighbours(small, 1200))) as (root,), pytest.raises(SceneNotFound):
        sentinel_2(XNF_PRODUCT, root)


MALFORMED = [
    "S2B_MSIL2A",
    "S2B_MSIL1C_20250422T091559_N0511_R093_T38XNF_20250422T101110",
    "S2B_MSIL2A_20251322T091559",
    "S2E_MSIL2A_20250422T091559",
    "S2B_MSIL2A_20250422T091559_T38XNF_R093",
    "S2A_32TPS_2023060_0_L2A",
    "LC08_L2SP_008059_20191201_20200825_02_T1",
    "anything",
]


@pytest.mark.parametrize("malformed", MALFORMED)
def test_malformed_id_is_refused_before_a_host_is_asked(malformed: str) -> None:
    with pytest.raises(InvalidSceneId) as error:
        sentinel_2(malformed, closed_root())
    assert error.value.code == "INVALID_ID_FORMAT"
    assert malformed in error.value.message
