"""Which of several items of one product is read: one whose bands are COGs that can be read, then the newer."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from processing.raster.errors import AmbiguousSceneId
from processing.raster.scenes import find_scene
from processing.raster.types import S3Access, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.misbehaving import AnyServer, as_json
from tests.raster.support.served_catalogues import Item, catalogues, changed, find, stored_item
from tests.servers import StacServer

V1, C1 = "sentinel-2-l2a", "sentinel-2-c1-l2a"
TPS_ID, TPS_PRODUCT = "S2A_32TPS_20230602_0_L2A", "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
NEWER_ID = "S2A_T32TPS_20230602T100553_L2A"
REPROCESSED = "S2A_MSIL2A_20230602T100601_N0511_R022_T32TPS_20250301T010203"
SHORT = "S2A_MSIL2A_20230602T100601_R022_T32TPS"
BUCKETS = S3Access(access_key="AKREADER", secret_key="of-the-reader")


@pytest.fixture
def older(shared_data: Path) -> Item:
    return stored_item(shared_data, f"earthsearch-v1_s2-l2a_2023_boa-true_{TPS_ID}")


@pytest.fixture
def newer(older: Item) -> Item:
    """The same product in the newer collection, whose ids cannot be computed."""
    return changed(older, NEWER_ID)


def in_bucket(item: Item, *names: str) -> Item:
    """The item as it is if the files of these assets, all by default, are JPEG 2000 in a requester-pays bucket."""
    moved = deepcopy(item)
    for name in names or [key for key in moved["assets"] if not key.endswith("-jp2")]:
        raw = moved["assets"][f"{name}-jp2"] if f"{name}-jp2" in moved["assets"] else moved["assets"][name]
        moved["assets"][name] |= {"href": raw["href"].replace("https://", "s3://"), "type": "image/jp2"}
    return moved


def found(server: StacServer, held: dict[str, list[Item]], name: str, *bands: str, **more: Any) -> Scene:
    root = server.serve_all(held)
    config = config_for(roots={"sentinel-2": [root]}, private_hosts=frozenset({"127.0.0.1"}), **more)
    scene_id = SceneId(provider="sentinel-2", original_id=name)
    return find_scene(scene_id, config.catalogues, config.network, bands or ("red", "nir"))


@pytest.mark.parametrize("name", [TPS_PRODUCT, f"{TPS_PRODUCT}.SAFE", f"{TPS_PRODUCT}.zarr", SHORT])
def test_newer_collection_wins_if_both_have_cogs(stac_server: StacServer, older: Item, newer: Item, name: str) -> None:
    scene = found(stac_server, {V1: [older], C1: [newer]}, name)
    assert (scene.item_id, scene.collection) == (NEWER_ID, C1)


@pytest.mark.parametrize("name", [TPS_PRODUCT, SHORT])
@pytest.mark.parametrize("s3", [None, BUCKETS], ids=["no access to buckets", "access to buckets"])
def test_collection_with_cogs_wins_whichever_it_is(
    stac_server: StacServer, older: Item, newer: Item, name: str, s3: S3Access | None
) -> None:
    scene = found(stac_server, {V1: [older], C1: [in_bucket(newer)]}, name, s3=s3)
    assert scene.collection == V1


@pytest.mark.parametrize("name", [TPS_PRODUCT, SHORT, TPS_ID])
@pytest.mark.parametrize("s3", [None, BUCKETS], ids=["no access to buckets", "access to buckets"])
def test_other_item_of_the_product_stands_in_for_one_without_cogs(
    stac_server: StacServer, older: Item, newer: Item, name: str, s3: S3Access | None
) -> None:
    scene = found(stac_server, {V1: [in_bucket(older)], C1: [newer]}, name, s3=s3)
    assert (scene.item_id, str(scene.id)) == (NEWER_ID, f"sentinel-2:{name}")


def test_item_that_is_named_is_read_if_it_has_cogs(stac_server: StacServer, older: Item, newer: Item) -> None:
    assert found(stac_server, {V1: [older], C1: [newer]}, TPS_ID).item_id == TPS_ID


@pytest.mark.parametrize(("band", "collection"), [("swir16", V1), ("nir", C1)])
def test_bands_of_the_job_decide(stac_server: StacServer, older: Item, newer: Item, band: str, collection: str) -> None:
    held = {V1: [older], C1: [in_bucket(newer, "swir16")]}
    assert found(stac_server, held, TPS_PRODUCT, "red", band).collection == collection


def test_jpeg_2000_is_read_if_nobody_has_cogs(stac_server: StacServer, older: Item, newer: Item) -> None:
    held = {V1: [in_bucket(older)], C1: [in_bucket(newer)]}
    scene = found(stac_server, held, TPS_PRODUCT, s3=BUCKETS)
    assert scene.collection == C1
    assert {"red", "nir"} <= set(scene.sources)


def test_product_that_only_one_collection_can_name_by_id_is_not_taken_for_another(
    stac_server: StacServer, older: Item, newer: Item
) -> None:
    """A computed id fits the older processing. The newer one has none, so it has to be searched for."""
    again = changed(newer, NEWER_ID, s2__product_uri=f"{REPROCESSED}.SAFE", s2__processing_baseline="05.11")
    with pytest.raises(AmbiguousSceneId) as error:
        found(stac_server, {V1: [older], C1: [again]}, SHORT)
    assert error.value.details["candidates"] == [f"sentinel-2:{TPS_PRODUCT}", f"sentinel-2:{REPROCESSED}"]


@pytest.mark.parametrize(("name", "item_id"), [(TPS_PRODUCT, TPS_ID), (REPROCESSED, NEWER_ID)])
def test_whole_name_means_one_processing(
    stac_server: StacServer, older: Item, newer: Item, name: str, item_id: str
) -> None:
    again = changed(newer, NEWER_ID, s2__product_uri=f"{REPROCESSED}.zarr", s2__processing_baseline="05.11")
    assert found(stac_server, {V1: [older], C1: [again]}, name).item_id == item_id


def test_next_catalogue_is_asked_if_the_first_has_no_cogs(tmp_path: Path, older: Item) -> None:
    with catalogues(tmp_path, (V1, [in_bucket(older)]), (V1, [older])) as (first, second):
        scene = find("sentinel-2", TPS_PRODUCT, first, second)
    assert scene.catalogue == second.removeprefix("http://")


def test_next_catalogue_is_left_alone_if_the_first_has_cogs(older: Item) -> None:
    page = as_json({"features": [{**older, "collection": C1}], "links": []})
    with AnyServer(page) as first, AnyServer(page) as second:
        scene = find("sentinel-2", TPS_PRODUCT, first.url, second.url)
    assert (scene.catalogue, second.asked) == (first.host, [])
