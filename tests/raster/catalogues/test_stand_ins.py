"""Earth Search's own ids while it is down or has a gap: another catalogue's item of the same data stands in."""

from pathlib import Path

import pytest

from processing.raster.catalogues.catalogue import CDSE, EARTH_SEARCH
from processing.raster.catalogues.providers.sentinel_2 import Sentinel2
from processing.raster.errors import AmbiguousSceneId, ProviderUnavailable, RasterError, SceneNotFound
from processing.raster.types import Scene
from tests.raster.catalogues.test_default_order import find as find_at
from tests.raster.support.misbehaving import AnyServer, as_json
from tests.raster.support.served_catalogues import Item, catalogues, changed, closed_root, find, in_pc_form, stored_item

V1, C1 = "sentinel-2-l2a", "sentinel-2-c1-l2a"
TPS_ID, TPS_PRODUCT = "S2A_32TPS_20230602_0_L2A", "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
TPS_C1_ID = "S2A_T32TPS_20230602T100832_L2A"
XNF_ID, XNF_PRODUCT = "S2B_T38XNF_20250422T091553_L2A", "S2B_MSIL2A_20250422T091559_N0511_R093_T38XNF_20250422T101110"
VVN_ID, VVN_PRODUCT = "S2B_6VVN_20190629_0_L2A", "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531"
REPROCESSED = "S2A_MSIL2A_20230602T100601_N0510_R022_T32TPS_20241020T124817"
OTHER_STRIP = "S2A_OPER_MSI_L2A_DS_2APS_20230602T170000_S20230602T101632_N05.09"
NEXT_ORBIT = "S2A_MSIL2A_20230602T114601_N0509_R023_T32TPS_20230602T180000"

pytestmark = pytest.mark.usefixtures("hurried")


def sentinel_2(original_id: str, *roots: str) -> Scene:
    return find("sentinel-2", original_id, *roots)


@pytest.fixture
def tps(shared_data: Path) -> Item:
    return stored_item(shared_data, f"earthsearch-v1_s2-l2a_2023_boa-true_{TPS_ID}")


@pytest.fixture
def xnf(shared_data: Path) -> Item:
    return stored_item(shared_data, f"earthsearch-v1_s2-c1-l2a_stac11_{XNF_ID}")


@pytest.fixture
def vvn(shared_data: Path) -> Item:
    """As Planetary Computer has it."""
    return stored_item(shared_data, "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529")


@pytest.fixture
def elsewhere(tps: Item, xnf: Item, vvn: Item) -> list[Item]:
    return [in_pc_form(tps), in_pc_form(xnf), vvn]


def as_product(item: Item, product: str, **properties: str) -> Item:
    return in_pc_form(changed(item, "", s2__product_uri=f"{product}.SAFE", **properties))


def assert_stands_in(scene: Scene, asked: str, product: str, catalogue: str) -> None:
    assert (str(scene.id), scene.properties["s2:product_uri"]) == (f"sentinel-2:{asked}", f"{product}.SAFE")
    assert scene.catalogue == catalogue.removeprefix("http://")
    (warning,) = scene.warnings
    assert {asked, product, scene.catalogue} <= {
        word.strip(",:").removeprefix("sentinel-2:") for word in warning.split()
    }


IDS = {TPS_ID: TPS_PRODUCT, TPS_C1_ID: TPS_PRODUCT, XNF_ID: XNF_PRODUCT, VVN_ID: VVN_PRODUCT}


@pytest.mark.parametrize(("asked", "product"), IDS.items())
def test_product_of_the_same_data_stands_in_if_the_catalogue_is_down(
    tmp_path: Path, elsewhere: list[Item], asked: str, product: str
) -> None:
    down = closed_root()
    with catalogues(tmp_path, (V1, elsewhere)) as (root,):
        for roots in ((down, root), (root, down)):
            scene = sentinel_2(asked, *roots)
            assert_stands_in(scene, asked, product, root)
            assert down.removeprefix("http://") in scene.warnings[0]


@pytest.mark.parametrize(("asked", "product"), IDS.items())
def test_product_of_the_same_data_stands_in_if_the_catalogue_has_a_gap(
    tmp_path: Path, elsewhere: list[Item], asked: str, product: str
) -> None:
    with catalogues(tmp_path, (C1, []), (V1, elsewhere)) as (gappy, root):
        assert_stands_in(sentinel_2(asked, gappy, root), asked, product, root)


def test_newer_collection_of_the_same_catalogue_stands_in_for_a_gap_of_the_older(tmp_path: Path, tps: Item) -> None:
    with catalogues(tmp_path, (C1, [changed(tps, TPS_C1_ID)])) as (root,):
        assert_stands_in(sentinel_2(TPS_ID, root), TPS_ID, TPS_PRODUCT, root)


def test_item_of_cdse_stands_in_by_its_datastrip(tmp_path: Path, shared_data: Path) -> None:
    item = stored_item(shared_data, "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500")
    with catalogues(tmp_path, (V1, [item])) as (root,):
        for asked in ("S2B_36NYH_20200322_0_L2A", "S2B_T36NYH_20200322T075811_L2A"):
            assert sentinel_2(asked, closed_root(), root).item_id == item["id"]
        with pytest.raises(ProviderUnavailable):
            sentinel_2("S2B_T36NYH_20200322T075711_L2A", closed_root(), root)


def test_named_item_is_taken_without_a_word_and_nobody_else_is_asked(tps: Item) -> None:
    page = as_json({"features": [{**tps, "collection": V1}], "links": []})
    with AnyServer(page) as first, AnyServer(page) as second:
        scene = sentinel_2(TPS_ID, first.url, second.url)
    assert (scene.warnings, len(first.asked), second.asked) == ((), 1, [])


@pytest.mark.parametrize("order", [1, -1])
def test_newest_processing_of_one_sensing_stands_in(tmp_path: Path, tps: Item, order: int) -> None:
    both = [in_pc_form(tps), as_product(tps, REPROCESSED)][::order]
    with catalogues(tmp_path, (V1, both)) as (root,):
        assert_stands_in(sentinel_2(TPS_ID, closed_root(), root), TPS_ID, REPROCESSED, root)


def test_newest_processing_that_can_be_read_stands_in(tmp_path: Path, tps: Item) -> None:
    with catalogues(tmp_path, (V1, [in_pc_form(tps)]), (V1, [as_product(tps, REPROCESSED)])) as (open_one, closed):
        at = {closed_root(): EARTH_SEARCH, open_one: EARTH_SEARCH, closed: CDSE}
        assert_stands_in(find_at(Sentinel2, TPS_ID, at), TPS_ID, TPS_PRODUCT, open_one)


@pytest.mark.parametrize("properties", [{"s2__datastrip_id": OTHER_STRIP}, {}], ids=["datastrips", "datatakes"])
def test_different_sensings_of_one_day_are_ambiguous(tmp_path: Path, tps: Item, properties: dict[str, str]) -> None:
    product = TPS_PRODUCT.replace("162001", "170000") if properties else NEXT_ORBIT
    held = [in_pc_form(tps), as_product(tps, product, **properties)]
    with catalogues(tmp_path, (V1, held)) as (root,), pytest.raises(AmbiguousSceneId) as error:
        sentinel_2(TPS_ID, closed_root(), root)
    assert error.value.details["candidates"] == sorted(f"sentinel-2:{name}" for name in (TPS_PRODUCT, product))


def test_datastrip_that_the_id_names_is_taken_of_two(tmp_path: Path, tps: Item) -> None:
    product = TPS_PRODUCT.replace("162001", "170000")
    with catalogues(tmp_path, (V1, [in_pc_form(tps), as_product(tps, product, s2__datastrip_id=OTHER_STRIP)])) as (
        root,
    ):
        down = closed_root()
        assert_stands_in(sentinel_2(TPS_C1_ID, down, root), TPS_C1_ID, TPS_PRODUCT, root)
        other = "S2A_T32TPS_20230602T101632_L2A"
        assert_stands_in(sentinel_2(other, down, root), other, product, root)


@pytest.mark.parametrize("wrong", ["S2B_32TPS_20230602_0_L2A", "S2A_32TPT_20230602_0_L2A", "S2A_32TPS_20230601_0_L2A",
                                   "S2A_T32TPS_20230602T100833_L2A", "S2A_T32TPT_20230602T100832_L2A"])  # fmt: skip
def test_product_of_other_data_does_not_stand_in(tmp_path: Path, tps: Item, wrong: str) -> None:
    down = closed_root()
    with catalogues(tmp_path, (C1, []), (V1, [in_pc_form(tps)])) as (empty, root):
        with pytest.raises(SceneNotFound) as missing:
            sentinel_2(wrong, empty, root)
        with pytest.raises(ProviderUnavailable) as error:
            sentinel_2(wrong, down, root)
    assert missing.value.details == {"scene_id": f"sentinel-2:{wrong}"}
    assert error.value.details["host"] == down.removeprefix("http://")


def test_product_that_has_another_id_of_that_form_does_not_stand_in(tmp_path: Path, tps: Item) -> None:
    """The second of a day is missing, and what the other catalogue has is known as the first."""
    with catalogues(tmp_path, (V1, [tps]), (V1, [in_pc_form(tps)])) as roots, pytest.raises(SceneNotFound):
        sentinel_2("S2A_32TPS_20230602_1_L2A", *roots)


@pytest.mark.parametrize("zone", ["01", "60"])
def test_tile_beside_the_antimeridian_is_found(tmp_path: Path, vvn: Item, zone: str) -> None:
    west, east = (-179.9, -178.5) if zone == "01" else (178.5, 179.9)
    ring = [[west, 57.0], [east, 57.0], [east, 58.0], [west, 58.0], [west, 57.0]]
    product = VVN_PRODUCT.replace("06VVN", f"{zone}VVN")
    there = as_product(vvn, product) | {
        "bbox": [west, 57.0, east, 58.0],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    asked = VVN_ID.replace("6VVN", f"{int(zone)}VVN")
    with catalogues(tmp_path, (V1, [there])) as (root,):
        assert_stands_in(sentinel_2(asked, closed_root(), root), asked, product, root)


def test_item_that_says_nothing_of_its_data_does_not_stand_in(tmp_path: Path, tps: Item) -> None:
    silent = changed(tps, "something") | {"properties": {"datetime": tps["properties"]["datetime"]}}
    with catalogues(tmp_path, (V1, [silent])) as (root,), pytest.raises(RasterError) as error:
        sentinel_2(TPS_ID, closed_root(), root)
    assert error.value.code == "PROVIDER_UNAVAILABLE"
