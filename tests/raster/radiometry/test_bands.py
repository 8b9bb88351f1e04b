"""From a band's name to its asset, scale, offset and nodata: on real items of many catalogues, and rule by rule."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from processing.raster.errors import BandNotFound, OffsetUnknown
from processing.raster.radiometry.bands import find_asset, resolve_band
from processing.raster.types import Band, RemoteFile, Scene, SceneId

APPLIED, DECLARED, BEFORE_SHIFT = 0.0, -0.1, 0.0
# File of the item; the assets of red and near infrared; their scale and offset. Nodata is 0 in all of them.
REAL_ITEMS = [
    ("cdse-v1_s2-l2a_stac11_FeatureCollection_N0500", "B04_10m", "B08_10m", 1e-4, DECLARED),
    ("cdse-v1_s2-l2a_stac11_FeatureCollection_N0512_inconsistent-nodata", "B04_10m", "B08_10m", 1e-4, DECLARED),
    ("earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A", "red", "nir", 1e-4, DECLARED),
    ("earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A", "red", "nir", 1e-4, APPLIED),
    ("earthsearch-v1_s2-l2a_2023_boa-true_S2B_33TWL_20230820_0_L2A.localhrefs", "red", "nir", 1e-4, APPLIED),
    ("earthsearch-v1_s2-l2a_2024_boa-true_S2A_12RWT_20240106_0_L2A.localhrefs", "red", "nir", 1e-4, APPLIED),
    ("landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR", "red", "nir08", 2.75e-5, -0.2),
    ("landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR", "red", "nir08", 2.75e-5, -0.2),
    ("pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529", "B04", "B08", 1e-4, BEFORE_SHIFT),
    ("pc_s2-l2a_pb0212_raster-ext-added-by-odc", "B04", "B08", 1e-4, BEFORE_SHIFT),
    ("stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1", "red", "nir08", 2.75e-5, -0.2),
    ("stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1", "red", "nir08", 2.75e-5, -0.2),
    ("stactools-sentinel2_stac11_pb0400_S2B_T33XWJ_20220413T150756_L2A", "red", "nir", 1e-4, DECLARED),
]
FIRST_EARTH_SEARCH = "earthsearch-v0_s2-cogs_2020_S2A_28QCH_20200714_0_L2A"
PLANETARY = "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529"
EARTH_SEARCH = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"
CDSE = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500"
STACTOOLS_SENTINEL = "stactools-sentinel2_stac11_pb0400_S2B_T33XWJ_20220413T150756_L2A"
STACTOOLS_OLI = "stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1"
STACTOOLS_ETM = "stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1"
LANDSATLOOK_OLI = "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR"
LANDSATLOOK_ETM = "landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR"

EVERY_ITEM = [*(item for item, *_ in REAL_ITEMS), FIRST_EARTH_SEARCH]


def scene_of(item: dict[str, Any]) -> Scene:
    sources = {key: RemoteFile(url=f"https://files.example/{key}.tif") for key in item["assets"]}
    return Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources)


def real_scene(shared_data: Path, name: str) -> Scene:
    content = json.loads((shared_data / "stac_items" / f"{name}.json").read_text())
    if content["type"] == "FeatureCollection":
        (content,) = content["features"]
    return scene_of(content)


def scene(assets: dict[str, dict[str, Any]], platform: str = "sentinel-2b", **properties: Any) -> Scene:
    named = {name.replace("__", ":"): value for name, value in properties.items()}
    return scene_of({"id": "an-item", "properties": {"platform": platform, **named}, "assets": assets})


def shifted(**more: Any) -> dict[str, Any]:
    return {"raster:bands": [{"nodata": 0, "scale": 1e-4, "offset": -0.1}], **more}


def test_every_real_item_has_its_row(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "stac_items").glob("*.json")} == set(EVERY_ITEM)


@pytest.mark.parametrize(("item", "red", "nir", "scale", "offset"), REAL_ITEMS, ids=lambda value: str(value)[:40])
def test_red_and_near_infrared_of_real_items(
    shared_data: Path, item: str, red: str, nir: str, scale: float, offset: float
) -> None:
    found = real_scene(shared_data, item)
    for name, asset in (("red", red), ("nir", nir)):
        band = resolve_band(found, name)
        assert (band.asset, band.scale, band.offset, band.nodata) == (asset, scale, offset, 0)
        assert band.offset_reason


def test_assets_of_the_first_earth_search(shared_data: Path) -> None:
    found = real_scene(shared_data, FIRST_EARTH_SEARCH)
    assert [find_asset(found, name) for name in ("red", "nir", "nir08")] == ["B04", "B08", "B8A"]


@pytest.mark.parametrize("spelling", ["B4", "B04", "b04", "b4"])
@pytest.mark.parametrize(
    ("item", "asset"),
    [
        (CDSE, "B04_10m"),
        (PLANETARY, "B04"),
        (FIRST_EARTH_SEARCH, "B04"),
        (EARTH_SEARCH, "red"),
        ("earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A", "red"),
        (STACTOOLS_SENTINEL, "red"),
        (LANDSATLOOK_OLI, "red"),
        (STACTOOLS_OLI, "red"),
        (LANDSATLOOK_ETM, "nir08"),
        (STACTOOLS_ETM, "nir08"),
    ],
)
def test_native_spellings_on_real_items(shared_data: Path, item: str, asset: str, spelling: str) -> None:
    assert find_asset(real_scene(shared_data, item), spelling) == asset


@pytest.mark.parametrize(("item", "asset"), [(PLANETARY, "B8A"), (CDSE, "B8A_20m"), (STACTOOLS_SENTINEL, "nir08")])
@pytest.mark.parametrize("spelling", ["B8A", "b8a", "nir08"])
def test_narrow_near_infrared_on_real_items(shared_data: Path, item: str, asset: str, spelling: str) -> None:
    assert find_asset(real_scene(shared_data, item), spelling) == asset


@pytest.mark.parametrize("item", EVERY_ITEM)
@pytest.mark.parametrize("composite", ["visual", "TCI", "TCI_10m", "rgb"])
def test_composites_are_never_a_band(shared_data: Path, item: str, composite: str) -> None:
    with pytest.raises(BandNotFound):
        find_asset(real_scene(shared_data, item), composite)


@pytest.mark.parametrize("item", EVERY_ITEM)
def test_what_is_no_reflectance_is_never_a_band(shared_data: Path, item: str) -> None:
    found = real_scene(shared_data, item)
    other = r"(scl|qa|aot|wvp|visual|tci|thumbnail|overview|preview|snow|cloud|atmos|lwir|st_)"
    names = {key for key in found.assets if re.match(other, key.lower())}
    for name in sorted(names | {"scl", "SCL", "SCL_20m", "aot", "wvp", "qa_pixel"}):
        with pytest.raises(BandNotFound):
            find_asset(found, name)


@pytest.mark.parametrize("item", [item for item in EVERY_ITEM if item.startswith("earthsearch-v1")])
@pytest.mark.parametrize("native", ["B04", "B4"])
def test_native_red_of_every_earth_search_item(shared_data: Path, item: str, native: str) -> None:
    assert find_asset(real_scene(shared_data, item), native) == "red"


@pytest.mark.parametrize("item", EVERY_ITEM)
def test_red_edge_of_three_bands_is_never_guessed(shared_data: Path, item: str) -> None:
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


def test_message_names_the_bands_there_are() -> None:
    with pytest.raises(BandNotFound, match="B02, B03"):
        find_asset(scene({"B03": {}, "B02": {}}), "swir16")


def test_asset_without_a_readable_source_is_not_used() -> None:
    item = {"id": "x", "properties": {"platform": "sentinel-2b"}, "assets": {"red": {}, "B04": {}}}
    sources = {"B04": RemoteFile(url="https://files.example/B04.tif")}
    found = Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources)
    assert find_asset(found, "red") == "B04"


def test_exact_key_goes_before_the_common_name() -> None:
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


def test_narrow_near_infrared_is_given_where_it_is_asked_for() -> None:
    assert find_asset(scene({"B08": {}, "B8A": {}}), "nir08") == "B8A"


def test_near_infrared_is_missing_where_neither_band_is_there() -> None:
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
    assert find_asset(scene({"band-jp2": named, "band": named}), "red") == "band"


def offset_of(asset: dict[str, Any], key: str = "red", **properties: Any) -> float:
    band: Band = resolve_band(scene({key: asset}, **properties), key)
    assert band.scale == 1e-4
    return band.offset


@pytest.mark.parametrize("baseline", ["02.12", "03.01", "03.99"])
def test_no_offset_before_baseline_4_whatever_the_asset_declares(baseline: str) -> None:
    assert offset_of({}, s2__processing_baseline=baseline) == 0
    assert offset_of(shifted(), s2__processing_baseline=baseline) == 0
    assert offset_of(shifted(), s2__processing_baseline=baseline, earthsearch__boa_offset_applied=False) == 0


@pytest.mark.parametrize(
    "properties",
    [
        {"s2__processing_baseline": "02.14"},
        {"processing__version": "02.14"},
        {"s2__product_uri": "S2A_MSIL2A_20200714T115221_N0214_R123_T28QCH_20200714T191310.SAFE"},
    ],
)
def test_baseline_is_found_in_each_of_its_places(properties: dict[str, str]) -> None:
    assert offset_of(shifted(), **properties) == 0


def test_baseline_is_found_in_an_item_id_that_is_the_product_name() -> None:
    item = scene({"red": {}}).item
    name = "S2A_MSIL2A_20200714T115221_N0500_R123_T28QCH_20230714T191310"
    assert resolve_band(scene_of({**item, "id": name}), "red").offset == -0.1


def test_declared_baseline_wins_over_the_product_name() -> None:
    name = "S2A_MSIL2A_20200714T115221_N0500_R123_T28QCH_20230714T191310.SAFE"
    assert offset_of({}, s2__processing_baseline="02.14", s2__product_uri=name) == 0


def test_applied_offset_is_not_taken_off_again() -> None:
    applied = {"s2__processing_baseline": "05.09", "earthsearch__boa_offset_applied": True}
    assert offset_of(shifted(), **applied) == 0
    assert offset_of({}, **applied) == 0


def test_raw_jpeg_2000_asset_of_the_same_item_keeps_its_offset() -> None:
    applied = {"s2__processing_baseline": "05.09", "earthsearch__boa_offset_applied": True}
    assert offset_of(shifted(), "red-jp2", **applied) == -0.1


def test_jpeg_2000_asset_of_a_real_item_keeps_its_offset(shared_data: Path) -> None:
    assert resolve_band(real_scene(shared_data, EARTH_SEARCH), "red-jp2").offset == -0.1


def test_flipped_flag_of_a_real_item_brings_the_declared_offset_back(shared_data: Path) -> None:
    item = json.loads((shared_data / "stac_items" / f"{EARTH_SEARCH}.json").read_text())
    item["properties"]["earthsearch:boa_offset_applied"] = False
    assert resolve_band(scene_of(item), "red").offset == -0.1


@pytest.mark.parametrize(
    "asset",
    [
        {"raster:bands": [{"offset": -0.15, "scale": 1e-4}]},
        {"bands": [{"raster:offset": -0.15, "raster:scale": 1e-4}]},
        {"raster:offset": -0.15, "raster:scale": 1e-4},
    ],
)
def test_declared_offset_is_taken_in_each_spelling(asset: dict[str, Any]) -> None:
    assert offset_of(asset, s2__processing_baseline="05.11") == -0.15
    assert offset_of(asset) == -0.15


def test_declared_offset_of_0_is_a_declared_offset() -> None:
    assert offset_of({"raster:bands": [{"offset": 0}]}, s2__processing_baseline="05.11") == 0


@pytest.mark.parametrize("baseline", ["04.00", "05.00", "05.11", "06.00"])
def test_silent_asset_is_shifted_since_baseline_4(baseline: str) -> None:
    assert offset_of({}, s2__processing_baseline=baseline) == -0.1
    assert offset_of({}, processing__version=baseline) == -0.1


@pytest.mark.parametrize("date", ["2019-06-29T21:25:29Z", "2025-01-15T18:56:01Z"])
def test_unknown_offset_is_never_guessed_from_the_date(date: str) -> None:
    with pytest.raises(OffsetUnknown) as error:
        offset_of({}, datetime=date)
    assert error.value.details == {"scene_id": "any:scene", "asset": "red"}


def test_landsat_takes_a_declared_scale_and_offset_first() -> None:
    declared = {"red": {"raster:bands": [{"scale": 0.5, "offset": -3, "nodata": 7}]}}
    band = resolve_band(scene(declared, "landsat-8"), "red")
    assert (band.scale, band.offset, band.nodata) == (0.5, -3, 7)


@pytest.mark.parametrize(
    "asset",
    [{"raster:bands": [{"nodata": 7}]}, {"bands": [{"nodata": 7}]}, {"nodata": 7}],
)
def test_declared_nodata_is_taken_in_each_spelling(asset: dict[str, Any]) -> None:
    assert resolve_band(scene({"red": asset}, s2__processing_baseline="05.11"), "red").nodata == 7


def test_provenance_tells_how_numbers_became_reflectance() -> None:
    band = resolve_band(scene({"red": shifted()}, s2__processing_baseline="05.11"), "red")
    told = band.provenance()
    assert {name: told[name] for name in ("asset", "scale", "offset", "nodata")} == {
        "asset": "red",
        "scale": 1e-4,
        "offset": -0.1,
        "nodata": 0,
    }
    assert told["offset_reason"] == band.offset_reason
