"""Names that several products can have: all catalogues are asked, so that a gap of one hides nothing."""

import time
from pathlib import Path

import pytest

from processing.raster.errors import AmbiguousSceneId, ProviderUnavailable
from processing.raster.types import Scene
from tests.raster.support.misbehaving import Answer, AnyServer, silence, status
from tests.raster.support.served_catalogues import (
    Item,
    catalogues,
    changed,
    closed_root,
    find,
    hrefs_replaced,
    in_pc_form,
    stored_item,
)

V1, LANDSAT = "sentinel-2-l2a", "landsat-c2-l2"
PRODUCT = "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"
NEIGHBOUR = PRODUCT.replace("T32TPS", "T32TPT")
REPROCESSED = "S2A_MSIL2A_20230602T100601_N0510_R022_T32TPS_20241020T124817"
DATATAKE, TILE = PRODUCT[:26], "S2A_MSIL2A_20230602T100601_R022_T32TPS"
OLI, OLI_SHORT = "LC09_L2SP_010065_20220129_20220131_02_T1", "LC09_L2SP_010065_20220129_02_T1"
OLI_AGAIN = OLI.replace("20220131", "20230501")

pytestmark = pytest.mark.usefixtures("hurried")


def sentinel_2(original_id: str, *roots: str) -> Scene:
    return find("sentinel-2", original_id, *roots)


@pytest.fixture
def tps(shared_data: Path) -> Item:
    return stored_item(shared_data, "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A")


@pytest.fixture
def oli(shared_data: Path) -> Item:
    return stored_item(shared_data, f"stactools-landsat_c2l2_pc-shape_{OLI_SHORT}")


def as_product(item: Item, product: str) -> Item:
    return in_pc_form(changed(item, "", s2__product_uri=f"{product}.SAFE"))


@pytest.mark.parametrize(("name", "other"), [(DATATAKE, NEIGHBOUR), (TILE, REPROCESSED), (DATATAKE, REPROCESSED)])
def test_gap_of_one_catalogue_does_not_hide_that_a_name_is_ambiguous(
    tmp_path: Path, tps: Item, name: str, other: str
) -> None:
    both = [in_pc_form(tps), as_product(tps, other)]
    with catalogues(tmp_path, (V1, [tps]), (V1, both)) as (gappy, whole):
        for roots in ((gappy, whole), (whole, gappy)):
            with pytest.raises(AmbiguousSceneId) as error:
                sentinel_2(name, *roots)
            assert error.value.details["candidates"] == [
                f"sentinel-2:{product}" for product in sorted((PRODUCT, other))
            ]


def test_name_is_ambiguous_if_each_catalogue_has_another_scene(tmp_path: Path, tps: Item) -> None:
    with catalogues(tmp_path, (V1, [tps]), (V1, [as_product(tps, NEIGHBOUR)])) as roots:
        with pytest.raises(AmbiguousSceneId):
            sentinel_2(DATATAKE, *roots)
        assert sentinel_2(f"{DATATAKE}_T32TPT", *roots).catalogue in roots[1]


@pytest.mark.parametrize("name", [DATATAKE, TILE])
def test_name_that_all_catalogues_have_once_leads_to_the_first(tmp_path: Path, tps: Item, name: str) -> None:
    with catalogues(tmp_path, (V1, [tps]), (V1, [in_pc_form(tps)])) as (first, second):
        for roots in ((first, second), (second, first)):
            scene = sentinel_2(name, *roots)
            assert (scene.catalogue, scene.warnings) == (roots[0].removeprefix("http://"), ())


@pytest.mark.parametrize("answer", [silence, status(503)], ids=["hanging", "failing"])
def test_name_is_looked_for_without_a_catalogue_that_does_not_answer_and_the_job_says_so(
    tmp_path: Path, tps: Item, answer: Answer
) -> None:
    with catalogues(tmp_path, (V1, [tps])) as (root,), AnyServer(answer) as dead:
        started = time.monotonic()
        scene = sentinel_2(DATATAKE, dead.url, root)
        taken = time.monotonic() - started
    assert taken < 10
    (warning,) = scene.warnings
    assert dead.host in warning
    assert DATATAKE in warning


def test_name_that_nobody_has_is_not_called_missing_if_a_catalogue_is_down(tmp_path: Path, tps: Item) -> None:
    down = closed_root()
    with catalogues(tmp_path, (V1, [tps])) as (root,), pytest.raises(ProviderUnavailable) as error:
        sentinel_2("S2A_MSIL2A_20230603T100601", root, down)
    assert error.value.details["host"] == down.removeprefix("http://")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("provider", ["landsat", "planetary-computer"])
def test_landsat_name_without_the_day_processed_means_the_last_processing_of_all_catalogues(
    tmp_path: Path, oli: Item, provider: str, order: int
) -> None:
    again = hrefs_replaced(oli, OLI, OLI_AGAIN)
    with catalogues(tmp_path, (LANDSAT, [oli]), (LANDSAT, [again])) as roots:
        scene = find(provider, OLI_SHORT, *roots[::order])
        assert scene.catalogue in roots[1]
        assert find(provider, OLI, *roots[::order]).catalogue in roots[0]
