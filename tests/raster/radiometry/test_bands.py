"""From a band's name to its asset, scale and nodata: on real items of many catalogues, and rule by rule."""

import re
from pathlib import Path
from typing import Any

import pytest

from processing.raster.errors import BandNotFound
from processing.raster.radiometry import resolve_band
from processing.raster.radiometry.bands import find_asset
from processing.raster.types import RemoteFile, Scene, SceneId
from tests.raster.support.items import real_scene, scene

CDSE = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500"
PLANETARY = "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529"
STACTOOLS = "stactools-sentinel2_stac11_pb0400_S2B_T33XWJ_20220413T150756_L2A"
REAL_ITEMS = [
    CDSE,
    PLANETARY,
    STACTOOLS,
    "cdse-v1_s2-l2a_stac11_FeatureCollection_N0512_inconsistent-nodata",
    "earthsearch-v0_s2-cogs_2020_S2A_28QCH_20200714_0_L2A",
    "earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A",
    "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A",
    "earthsearch-v1_s2-l2a_2023_boa-true_S2B_33TWL_20230820_0_L2A.localhrefs",
    "earthsearch-v1_s2-l2a_2024_boa-true_S2A_12RWT_20240106_0_L2A.localhrefs",
    "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR",
    "landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR",
    "pc_s2-l2a_pb0212_raster-ext-added-by-odc",
    "stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1",
    "stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1",
]


@pytest.mark.parametrize(("item", "asset"), [(PLANETARY, "B8A"), (CDSE, "B8A_20m"), (STACTOOLS, "nir08")])
@pytest.mark.parametrize("spelling", ["B8A", "b8a", "nir08"])
def test_narrow_near_infrared_on_real_items(shared_data: Path, item: str, asset: str, spelling: str) -> None:
    assert find_asset(real_scene(shared_data, item), spelling) == asset


@pytest.mark.parametrize("item", REAL_ITEMS)
@pytest.mark.parametrize("composite", ["visual", "TCI", "TCI_10m", "rgb"])
def test_composites_are_never_a_band(shared_data: Path, item: str, composite: str) -> None:
    with pytest.raises(BandNotFound):
        find_asset(real_scene(shared_data, item), composite)


@pytest.mark.parametrize("item", REAL_ITEMS)
def test_asset_without_reflectance_is_never_a_band(shared_data: Path, item: str) -> None:
    found = real_scene(shared_data, item)
    other = r"(scl|qa|aot|wvp|visual|tci|thumbnail|overview|preview|snow|cloud|atmos|lwir|st_)"
    names = {key for key in found.assets if re.match(other, key.lower())}
    for name in sorted(names | {"scl", "SCL", "SCL_20m", "aot", "wvp", "qa_pixel"}):
        with pytest.raises(BandNotFound):
            find_asset(found, name)


@pytest.mark.parametrize("item", REAL_ITEMS)
def test_common_name_of_three_bands_is_never_guessed(shared_data: Path, item: str) -> None:
    with pytest.raises(BandNotFound) as error:
        find_asset(real_scene(shared_data, item), "rededge")
    assert error.value.details["band"] == "rededge"


def test_composite_with_the_common_name_red_loses_to_the_single_band() -> None:
    colors = [{"name": f"B0{number}", "common_name": name} for number, name in ((4, "red"), (3, "green"), (2, "blue"))]
    found = scene(
        {
            "visual": {"eo:bands": colors, "roles": ["visual"]},
            "TCI": {"bands": [{"name": "B04", "eo:common_name": "red"}] * 3},
            "tci": {"raster:bands": [{}, {}, {}], "eo:bands": colors[:1]},
            "band4": {"eo:bands": colors[:1]},
        }
    )
    assert find_asset(found, "red") == "band4"
    assert find_asset(found, "B04") == "band4"


def test_composite_alone_is_not_red() -> None:
    colors = [{"name": f"B0{number}", "common_name": name} for number, name in ((4, "red"), (3, "green"), (2, "blue"))]
    with pytest.raises(BandNotFound) as error:
        find_asset(scene({"visual": {"eo:bands": colors, "roles": ["visual"]}}), "red")
    assert error.value.details["scene_id"] == "any:scene"


def test_message_lists_the_bands_of_the_scene() -> None:
    with pytest.raises(BandNotFound, match="B02, B03"):
        find_asset(scene({"B03": {}, "B02": {}}), "swir16")


def test_asset_without_a_readable_source_is_not_used() -> None:
    item = {"id": "x", "properties": {"platform": "sentinel-2b"}, "assets": {"red": {}, "B04": {}}}
    sources = {"B04": RemoteFile(url="https://files.example/B04.tif")}
    found = Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources)
    assert find_asset(found, "red") == "B04"


def test_exact_key_wins_over_the_common_name() -> None:
    found = scene({"red": {}, "other": {"eo:bands": [{"name": "B04", "common_name": "red"}]}})
    assert find_asset(found, "red") == "red"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["B08", "B8A"], "B08"),
        (["nir", "nir08"], "nir"),
        (["B8A"], "B8A"),
        (["nir08"], "nir08"),
        (["B8A_20m", "B8A_60m"], "B8A_20m"),
    ],
)
def test_near_infrared_falls_back_to_the_narrow_band(keys: list[str], expected: str) -> None:
    assert find_asset(scene({key: {} for key in keys}), "nir") == expected


def test_narrow_near_infrared_is_used_if_it_is_asked_for() -> None:
    assert find_asset(scene({"B08": {}, "B8A": {}}), "nir08") == "B8A"


def test_scene_without_either_near_infrared_has_none() -> None:
    with pytest.raises(BandNotFound):
        find_asset(scene({"B04": {}, "B11": {}}), "nir")


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("landsat-5", "nir08"),
        ("LANDSAT_5", "nir08"),
        ("landsat-7", "nir08"),
        ("LANDSAT_7", "nir08"),
        ("landsat-8", "red"),
        ("LANDSAT_8", "red"),
        ("LANDSAT_9", "red"),
    ],
)
def test_landsat_band_4_is_red_or_near_infrared_by_sensor(platform: str, expected: str) -> None:
    found = scene({"SR_B4": {}, "SR_B3": {}, "SR_B5": {}}, platform)
    assert find_asset(found, expected) == "SR_B4"
    assert find_asset(found, "B4") == "SR_B4"


@pytest.mark.parametrize("platform", ["landsat-8", "LANDSAT_8", "LANDSAT-8", "Landsat_8"])
def test_spelling_of_the_platform_does_not_matter(platform: str) -> None:
    band = resolve_band(scene({"SR_B4": {}, "SR_B5": {}}, platform), "nir")
    assert (band.asset, band.scale, band.offset, band.nodata) == ("SR_B5", 2.75e-5, -0.2, 0)


def test_finest_resolution_and_cog_are_preferred() -> None:
    red = {"bands": [{"name": "B04", "eo:common_name": "red"}]}
    assert find_asset(scene({"B04_60m": red, "B04_20m": red, "B04_10m": red}), "red") == "B04_10m"
    named = {"eo:bands": [{"name": "red", "common_name": "red"}]}
    assert find_asset(scene({"band-jp2": {**named, "type": "image/jp2"}, "band": named}), "red") == "band"


def test_declared_scale_and_offset_win_over_those_of_landsat() -> None:
    declared = {"red": {"raster:bands": [{"scale": 0.5, "offset": -3, "nodata": 7}]}}
    band = resolve_band(scene(declared, "landsat-8"), "red")
    assert (band.scale, band.offset, band.nodata) == (0.5, -3, 7)


@pytest.mark.parametrize(
    "asset",
    [{"raster:bands": [{"nodata": 7}]}, {"bands": [{"nodata": 7}]}, {"nodata": 7}],
)
def test_declared_nodata_is_read_in_each_version_of_stac(asset: dict[str, Any]) -> None:
    assert resolve_band(scene({"red": asset}, s2__processing_baseline="05.11"), "red").nodata == 7


def test_provenance_says_how_dn_became_reflectance() -> None:
    band = resolve_band(scene({"red": {}}, s2__processing_baseline="05.11"), "red")
    assert band.provenance() == {
        "asset": "red",
        "scale": 1e-4,
        "offset": -0.1,
        "offset_reason": "processing baseline 05.11",
        "nodata": 0,
    }
