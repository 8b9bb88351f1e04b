"""Two ids that name one scene: nothing can have changed between them."""

from pathlib import Path

import pytest

from processing.raster.errors import SameSceneTwice
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.pipeline import run
from processing.raster.sandbox.catalogue import PRODUCTS
from processing.raster.sandbox.landscape import DATES
from processing.raster.scenes import check_different, find_scene
from processing.raster.types import Config, RasterJob, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.served_catalogues import catalogues, changed, stored_item

TPS_ID, TPS_PRODUCT = "S2A_32TPS_20230602_0_L2A", "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001"


def change(config: Config, directory: Path, *ids: str) -> None:
    scene_ids = tuple(SceneId.parse(one) for one in ids)
    job = RasterJob(operation="change_detection", scene_ids=scene_ids, params=ChangeDetectionParams())
    run(job, directory, lambda share: None, config)


def test_short_and_whole_name_of_one_scene_are_refused(sandbox: Path, tmp_path: Path) -> None:
    whole = f"sentinel-2:{PRODUCTS[DATES[0]]}"
    short = whole[: whole.index("_N")]
    with pytest.raises(SameSceneTwice) as error:
        change(config_for(sandbox=sandbox), tmp_path, short, whole)
    assert error.value.code == "SAME_SCENE_TWICE"
    assert error.value.details == {"scene_ids": [short, whole]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "ids",
    [
        (f"sentinel-2:{TPS_PRODUCT}", f"sentinel-2:{TPS_ID}"),
        (f"sentinel-2:{TPS_PRODUCT}", f"sentinel-2:{TPS_PRODUCT}.SAFE"),
        (f"sentinel-2:{TPS_PRODUCT}", f"planetary-computer:{TPS_PRODUCT.replace('_N0509', '')}"),
    ],
)
def test_one_product_is_one_scene_whichever_catalogue_has_it(
    shared_data: Path, tmp_path: Path, ids: tuple[str, str]
) -> None:
    item = stored_item(shared_data, f"earthsearch-v1_s2-l2a_2023_boa-true_{TPS_ID}")
    elsewhere = changed(item, TPS_PRODUCT.replace("_N0509", ""))
    held = (("sentinel-2-l2a", [item]), ("sentinel-2-l2a", [elsewhere]))
    with catalogues(tmp_path, *held) as (one, other):
        roots = {"sentinel-2": [one], "planetary-computer": [other]}
        config = config_for(roots=roots, private_hosts=frozenset({"127.0.0.1"}))
        found = [find_scene(SceneId.parse(each), config.catalogues, config.network) for each in ids]
    with pytest.raises(SameSceneTwice):
        check_different(found)


def test_two_dates_are_two_scenes(sandbox: Path) -> None:
    config = config_for(sandbox=sandbox)
    ids = [SceneId(provider="sentinel-2", original_id=PRODUCTS[date]) for date in DATES]
    check_different([find_scene(each, config.catalogues, config.network) for each in ids])
