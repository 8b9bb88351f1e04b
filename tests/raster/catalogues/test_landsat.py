"""Ids of Landsat in every form, at LandsatLook and at Earth Search."""

from pathlib import Path

import pytest

from processing.raster.errors import InvalidSceneId, ProviderUnavailable, SceneNotFound
from processing.raster.radiometry.bands import resolve_band
from processing.raster.types import RemoteFile, S3Access, S3File, Scene
from tests.raster.support.memories import forget_hosts
from tests.raster.support.served_catalogues import (
    Item,
    catalogues,
    changed,
    closed_root,
    find,
    hrefs_replaced,
    stored_item,
)

LOOK, SHORT = "landsat-c2l2-sr", "landsat-c2-l2"
OLI = "LC08_L2SP_028030_20200114_20200824_02_T1"
OLI_SHORT = "LC08_L2SP_028030_20200114_02_T1"
ETM = "LE07_L2SP_044033_20210329_20210424_02_T1"
OLI_2 = "LC09_L2SP_010065_20220129_20220131_02_T1"
OLI_2_SHORT = "LC09_L2SP_010065_20220129_02_T1"

pytestmark = pytest.mark.usefixtures("hurried")


def landsat(original_id: str, *roots: str) -> Scene:
    return find("landsat", original_id, *roots)


@pytest.fixture
def look(shared_data: Path) -> list[Item]:
    """Items of LandsatLook, whose ids end in _SR."""
    return [stored_item(shared_data, f"landsatlook_c2l2-sr_{name}_SR") for name in (OLI, ETM)]


@pytest.fixture
def short(shared_data: Path) -> Item:
    """An item of the kind that Earth Search has: its id leaves out the day of processing, its hrefs hold it."""
    item = stored_item(shared_data, f"stactools-landsat_c2l2_pc-shape_{OLI_2_SHORT}")
    assert (item["id"], OLI_2 in item["assets"]["red"]["href"]) == (OLI_2_SHORT, True)
    return item


@pytest.mark.parametrize("name", [OLI, f"{OLI}_SR", OLI_SHORT])
def test_landsatlook_appends_sr_to_the_name(tmp_path: Path, look: list[Item], name: str) -> None:
    with catalogues(tmp_path, (LOOK, look)) as (root,):
        scene = landsat(name, root)
    assert (scene.item_id, str(scene.id)) == (f"{OLI}_SR", f"landsat:{name}")


def test_fourth_band_is_that_of_the_sensor(tmp_path: Path, look: list[Item]) -> None:
    with catalogues(tmp_path, (LOOK, look)) as (root,):
        assert resolve_band(landsat(OLI, root), "B4").asset == "red"
        assert resolve_band(landsat(ETM, root), "B4").asset == "nir08"


@pytest.mark.parametrize("name", [OLI_2, OLI_2_SHORT, f"{OLI_2}_SR"])
def test_earth_search_drops_the_day_of_processing(tmp_path: Path, short: Item, name: str) -> None:
    with catalogues(tmp_path, (SHORT, [short])) as (root,):
        assert landsat(name, root).item_id == OLI_2_SHORT


def test_other_processing_of_the_same_day_is_not_taken(tmp_path: Path, short: Item) -> None:
    other = OLI_2.replace("_20220131_", "_20230501_")
    with catalogues(tmp_path, (SHORT, [short])) as (root,), pytest.raises(SceneNotFound):
        landsat(other, root)
    with catalogues(tmp_path / "again", (SHORT, [hrefs_replaced(short, OLI_2, other)])) as (root,):
        assert landsat(other, root).item_id == OLI_2_SHORT
        with pytest.raises(SceneNotFound):
            landsat(OLI_2, root)


def test_day_of_processing_in_landsatlooks_id_is_checked(tmp_path: Path, look: list[Item]) -> None:
    with catalogues(tmp_path, (LOOK, look)) as (root,), pytest.raises(SceneNotFound):
        landsat(OLI.replace("_20200824_", "_20201231_"), root)


@pytest.mark.parametrize("order", [1, -1])
def test_newest_of_several_processings_is_meant_if_the_id_names_none(
    tmp_path: Path, look: list[Item], order: int
) -> None:
    newer = OLI.replace("_20200824_", "_20230110_")
    items = [look[0], changed(look[0], f"{newer}_SR")][::order]
    with catalogues(tmp_path, (LOOK, items)) as (root,):
        assert landsat(OLI_SHORT, root).item_id == f"{newer}_SR"
        assert landsat(OLI, root).item_id == f"{OLI}_SR"


@pytest.mark.parametrize("wrong", ["LC09_L2SP_028030_20200114_20200824_02_T1", OLI.replace("028030", "028031"),
                                   OLI.replace("_T1", "_T2"), OLI.replace("L2SP", "L2SR")])  # fmt: skip
def test_neighbouring_scene_is_not_taken(tmp_path: Path, look: list[Item], wrong: str) -> None:
    with catalogues(tmp_path, (LOOK, look)) as (root,), pytest.raises(SceneNotFound) as error:
        landsat(wrong, root)
    assert error.value.details == {"scene_id": f"landsat:{wrong}"}


@pytest.mark.parametrize("name", [OLI, OLI_SHORT, OLI_2, OLI_2_SHORT])
def test_every_catalogue_is_asked_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: list[Item], short: Item, name: str
) -> None:
    expected = f"{OLI}_SR" if name in (OLI, OLI_SHORT) else OLI_2_SHORT
    with catalogues(tmp_path, (LOOK, look), (SHORT, [short])) as roots:
        assert landsat(name, *roots).item_id == expected
        forget_hosts(monkeypatch)
        assert landsat(name, *reversed(roots)).item_id == expected


def test_next_catalogue_is_asked_if_the_first_is_down(tmp_path: Path, short: Item) -> None:
    with catalogues(tmp_path, (SHORT, [short])) as (root,):
        assert landsat(OLI_2, closed_root(), root).item_id == OLI_2_SHORT


@pytest.mark.parametrize("name", [OLI, OLI_SHORT])
def test_scene_is_not_called_missing_if_a_catalogue_is_down(tmp_path: Path, short: Item, name: str) -> None:
    down = closed_root()
    with catalogues(tmp_path, (SHORT, [short])) as (root,):
        for roots in ((root, down), (down, root)):
            with pytest.raises(ProviderUnavailable) as error:
                landsat(name, *roots)
            assert error.value.details["host"] == down.removeprefix("http://")


def same_day(item: Item, count: int) -> list[Item]:
    """Other scenes of the same day: some 1500 are sensed on each."""
    small = {**item, "assets": {"red": item["assets"]["red"]}}
    return [
        changed(small, f"LC08_L2SP_{100 + number // 40:03}{1 + number % 40:03}_20200114_20200824_02_T1_SR")
        for number in range(count)
    ]


@pytest.mark.parametrize("name", [OLI, OLI_SHORT])
def test_absent_scene_is_not_found_on_a_day_of_many(tmp_path: Path, look: list[Item], name: str) -> None:
    with catalogues(tmp_path, (LOOK, same_day(look[0], 1100))) as (root,), pytest.raises(SceneNotFound):
        landsat(name, root)


def test_scene_is_found_without_its_day_of_processing_on_a_day_of_many(tmp_path: Path, look: list[Item]) -> None:
    with catalogues(tmp_path, (LOOK, [*same_day(look[0], 1100), look[0]])) as (root,):
        assert landsat(OLI_SHORT, root).item_id == f"{OLI}_SR"


def test_files_are_read_from_the_bucket_if_there_is_access(tmp_path: Path, look: list[Item]) -> None:
    access = S3Access(access_key="AKREADER", secret_key="of-the-reader", requester_pays=True)
    with catalogues(tmp_path, (LOOK, look)) as (root,):
        paid = resolve_band(find("landsat", OLI, root, s3=access), "red").source
        public = resolve_band(landsat(OLI, root), "red").source
    assert isinstance(paid, S3File)
    assert (paid.bucket, paid.key.rpartition("/")[2]) == ("usgs-landsat", f"{OLI}_SR_B4.TIF")
    assert isinstance(public, RemoteFile)
    assert public.url.startswith("https://landsatlook.usgs.gov/data/")


@pytest.mark.parametrize(
    "malformed",
    ["LC09_L2SP_044034_20250110_20250112_01_T1", "LC09_L1TP_044034_20250110_20250112_02_T1",
     "LC09_L2SP_44034_20250110_20250112_02_T1", "LC09_L2SP_044034_20251310_20250112_02_T1",
     "LC09_L2SP_044034_20250110_20250112_02", "S2B_MSIL2A_20250115T184929", "anything"],
)  # fmt: skip
def test_malformed_id_is_refused_before_a_host_is_asked(malformed: str) -> None:
    with pytest.raises(InvalidSceneId) as error:
        landsat(malformed, closed_root())
    assert error.value.code == "INVALID_ID_FORMAT"
