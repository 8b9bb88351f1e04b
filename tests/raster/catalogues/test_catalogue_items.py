"""Real items of seven catalogues through the resolver, and each trap that their metadata hold."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.catalogues.sentinel_2_products import ProductName
from processing.raster.catalogues.sources import sources_of
from processing.raster.errors import BandNotFound, OffsetUnknown
from processing.raster.pipeline import run
from processing.raster.radiometry.bands import reflectance_assets, resolve_band, resolve_mask
from processing.raster.types import Config, Product, S3Access, S3File, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.rasters import ndvi_request, read_tif, write_tif
from tests.raster.support.served_catalogues import stored_item
from tests.servers import RangeServer, StacServer

ACCESS = S3Access(access_key="AKREADER", secret_key="of-the-reader")
WITHOUT_BUCKETS = config_for()
WITH_BUCKETS = config_for(s3=ACCESS)
SENTINEL, LANDSAT = 1e-4, 2.75e-5


@dataclass(frozen=True)
class Expected:
    """What scenes.md and the item's own JSON come to. `nir` is nir08 where the sensor has no broad nir."""

    file: str
    red: str
    nir: str
    swir16: str
    mask: str
    kind: str
    scale: float
    offset: float
    reason: str


CDSE_0500 = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500"
CDSE_0512 = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0512_inconsistent-nodata"
V0 = "earthsearch-v0_s2-cogs_2020_S2A_28QCH_20200714_0_L2A"
C1 = "earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A"
TPS = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"
TWL = "earthsearch-v1_s2-l2a_2023_boa-true_S2B_33TWL_20230820_0_L2A.localhrefs"
RWT = "earthsearch-v1_s2-l2a_2024_boa-true_S2A_12RWT_20240106_0_L2A.localhrefs"
LOOK_OLI = "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR"
LOOK_ETM = "landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR"
PC = "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529"
PC_RASTER = "pc_s2-l2a_pb0212_raster-ext-added-by-odc"
PC_OLI = "stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1"
PC_ETM = "stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1"
STACTOOLS = "stactools-sentinel2_stac11_pb0400_S2B_T33XWJ_20220413T150756_L2A"

BY_COMMON_NAME, BY_NATIVE_NAME = ("red", "nir", "swir16", "scl", "scl"), ("B04", "B08", "B11", "SCL", "scl")
AT_CDSE = ("B04_10m", "B08_10m", "B11_20m", "SCL_20m", "scl")
OF_LANDSAT = ("red", "nir08", "swir16", "qa_pixel", "qa_pixel")
TABLE = [
    Expected(CDSE_0500, *AT_CDSE, SENTINEL, -0.1, "declared"),
    Expected(CDSE_0512, *AT_CDSE, SENTINEL, -0.1, "declared"),
    Expected(V0, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.14"),
    Expected(C1, *BY_COMMON_NAME, SENTINEL, -0.1, "declared"),
    Expected(TPS, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(TWL, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(RWT, *BY_COMMON_NAME, SENTINEL, 0.0, "earthsearch:boa_offset_applied"),
    Expected(LOOK_OLI, *OF_LANDSAT, LANDSAT, -0.2, "Landsat Collection 2"),
    Expected(LOOK_ETM, *OF_LANDSAT, LANDSAT, -0.2, "Landsat Collection 2"),
    Expected(PC, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.12"),
    Expected(PC_RASTER, *BY_NATIVE_NAME, SENTINEL, 0.0, "baseline 02.12"),
    Expected(PC_OLI, *OF_LANDSAT, LANDSAT, -0.2, "declared"),
    Expected(PC_ETM, *OF_LANDSAT, LANDSAT, -0.2, "declared"),
    Expected(STACTOOLS, *BY_COMMON_NAME, SENTINEL, -0.1, "declared"),
]
FILES = [expected.file for expected in TABLE]
OF_SENTINEL_2 = [expected.file for expected in TABLE if expected.scale == SENTINEL]


def as_scene(item: dict[str, Any], config: Config = WITH_BUCKETS) -> Scene:
    return Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources_of(item, config.network))


def scene_of(shared_data: Path, name: str, config: Config = WITH_BUCKETS) -> Scene:
    return as_scene(stored_item(shared_data, name), config)


def test_the_table_names_every_item_there_is(shared_data: Path) -> None:
    assert sorted(FILES) == sorted(path.stem for path in (shared_data / "stac_items").glob("*.json"))
    assert len(FILES) == 14


@pytest.mark.parametrize("config", [WITHOUT_BUCKETS, WITH_BUCKETS], ids=["without buckets", "with buckets"])
@pytest.mark.parametrize("expected", TABLE, ids=FILES)
def test_every_real_item_gives_the_right_asset_scale_offset_and_nodata(
    shared_data: Path, expected: Expected, config: Config
) -> None:
    scene = scene_of(shared_data, expected.file, config)
    for name, asset in (("red", expected.red), ("nir", expected.nir), ("swir16", expected.swir16)):
        band = resolve_band(scene, name)
        assert (band.asset, band.scale, band.offset, band.nodata) == (asset, expected.scale, expected.offset, 0.0)
        assert expected.reason in band.offset_reason
        assert band.source == scene.sources[asset]
    mask = resolve_mask(scene)
    assert mask is not None
    assert (mask.asset, mask.kind) == (expected.mask, expected.kind)


@pytest.mark.parametrize("name", OF_SENTINEL_2)
def test_nir_is_the_broad_band_and_nir08_the_narrow_one_of_sentinel_2(shared_data: Path, name: str) -> None:
    scene = scene_of(shared_data, name, WITHOUT_BUCKETS)
    narrow = {CDSE_0500: "B8A_20m", CDSE_0512: "B8A_20m", V0: "B8A", PC: "B8A", PC_RASTER: "B8A"}.get(name, "nir08")
    assert resolve_band(scene, "nir08").asset == narrow
    assert resolve_band(scene, "B8A").asset == narrow
    assert resolve_band(scene, "nir").asset != narrow


@pytest.mark.parametrize("spelling", ["B4", "B04", "b04", "b4"])
@pytest.mark.parametrize("expected", TABLE, ids=FILES)
def test_fourth_band_is_red_but_near_infrared_where_the_sensor_is_etm(
    shared_data: Path, expected: Expected, spelling: str
) -> None:
    scene = scene_of(shared_data, expected.file, WITHOUT_BUCKETS)
    wanted = expected.nir if expected.file in (LOOK_ETM, PC_ETM) else expected.red
    assert resolve_band(scene, spelling).asset == wanted


# --- The traps, each by itself --------------------------------------------------------------------------------------


def test_flag_that_the_offset_is_applied_wins_over_the_offset_declared_beside_it(shared_data: Path) -> None:
    scene = scene_of(shared_data, TPS)
    assert scene.assets["red"]["raster:bands"][0]["offset"] == -0.1
    assert resolve_band(scene, "red").offset == 0.0


def test_jp2_assets_of_the_same_item_are_raw(shared_data: Path) -> None:
    scene = scene_of(shared_data, TPS)
    for name in ("red", "nir", "swir16"):
        raw = resolve_band(scene, f"{name}-jp2")
        assert (raw.asset, raw.offset) == (f"{name}-jp2", -0.1)
        assert isinstance(raw.source, S3File)
        assert resolve_band(scene, name).offset == 0.0


def test_jp2_stands_in_where_its_cog_is_gone_and_brings_its_own_offset(shared_data: Path) -> None:
    item = stored_item(shared_data, TPS)
    for key in ("red", "scl"):
        del item["assets"][key]
    band, mask = resolve_band(as_scene(item), "red"), resolve_mask(as_scene(item))
    assert (band.asset, band.offset) == ("red-jp2", -0.1)
    assert mask is not None
    assert mask.asset == "scl-jp2"


def test_flag_false_leaves_the_declared_offset(shared_data: Path) -> None:
    item = stored_item(shared_data, TPS)
    item["properties"]["earthsearch:boa_offset_applied"] = False
    assert resolve_band(as_scene(item), "red").offset == -0.1


@pytest.mark.parametrize(("baseline", "offset"), [("02.14", 0.0), ("03.01", 0.0), ("04.00", -0.1), ("05.11", -0.1)])
def test_baseline_decides_where_nothing_is_declared(shared_data: Path, baseline: str, offset: float) -> None:
    item = stored_item(shared_data, PC)
    name = item["properties"]["s2:product_uri"].replace("N0212", f"N{baseline.replace('.', '')}")
    item["properties"] |= {"s2:processing_baseline": baseline, "s2:product_uri": name}
    band = resolve_band(as_scene(item), "red")
    assert (band.offset, baseline in band.offset_reason) == (offset, True)


def test_baseline_decides_and_not_the_date(shared_data: Path) -> None:
    """A scene of March 2020, before the shift of January 2022, processed again in 2023."""
    item = stored_item(shared_data, CDSE_0500)
    assert (item["properties"]["datetime"][:4], item["properties"]["processing:version"]) == ("2020", "05.00")
    assert resolve_band(as_scene(item), "red").offset == -0.1
    for asset in item["assets"].values():
        asset.pop("raster:offset", None)
    assert resolve_band(as_scene(item), "red").offset == -0.1
    del item["properties"]["processing:version"]
    assert resolve_band(as_scene(item), "red").offset == -0.1  # Nxxxx of the product name still tells it


def test_baseline_before_the_shift_wins_over_a_declared_offset(shared_data: Path) -> None:
    item = stored_item(shared_data, C1)
    name = item["properties"]["s2:product_uri"].replace("N0511", "N0301")
    item["properties"] |= {"s2:processing_baseline": "03.01", "s2:product_uri": name}
    assert resolve_band(as_scene(item), "red").offset == 0.0


def test_baselines_that_contradict_each_other_are_no_offset(shared_data: Path) -> None:
    item = stored_item(shared_data, C1)
    item["properties"]["s2:processing_baseline"] = "03.01"
    with pytest.raises(OffsetUnknown):
        resolve_band(as_scene(item), "red")


def test_offset_is_never_guessed(shared_data: Path) -> None:
    item = stored_item(shared_data, PC)
    del item["properties"]["s2:processing_baseline"]
    del item["properties"]["s2:product_uri"]
    with pytest.raises(OffsetUnknown) as error:
        resolve_band(as_scene(item), "red")
    assert error.value.code == "OFFSET_UNKNOWN"
    assert error.value.details["asset"] == "B04"


@pytest.mark.parametrize("name", [CDSE_0500, CDSE_0512])
def test_native_resolution_is_taken_at_cdse_and_only_for_reflectance(shared_data: Path, name: str) -> None:
    scene = scene_of(shared_data, name)
    # B01_20m is finer than the sensor sees: it is B01_60m, sampled up.
    for asked, asset in {"red": "B04_10m", "B11": "B11_20m", "B8A": "B8A_20m", "coastal": "B01_60m"}.items():
        assert resolve_band(scene, asked).asset == asset
    assert resolve_band(scene, "B04_20m").asset == "B04_20m"  # who names the asset gets it


@pytest.mark.parametrize("name", [CDSE_0500, CDSE_0512])
@pytest.mark.parametrize("key", ["AOT_10m", "AOT_20m", "WVP_10m", "SCL_20m", "AOT", "WVP", "SCL"])
def test_what_is_no_reflectance_is_never_a_band_whatever_offset_it_declares(
    shared_data: Path, name: str, key: str
) -> None:
    with pytest.raises(BandNotFound):
        resolve_band(scene_of(shared_data, name), key)


# Files that are read by no rule of reflectance: quality, temperature, probabilities, and such as are no raster at all.
NO_REFLECTANCE = {
    CDSE_0512: ["CLD_20m", "SNW_20m"],
    V0: ["info", "metadata", "overview", "thumbnail"],
    C1: ["aot", "wvp", "cloud", "snow"],
    PC: ["tilejson", "rendered_preview"],
    PC_OLI: ["lwir11", "atran", "cdist", "drad", "urad", "trad", "emis", "emsd", "qa", "qa_aerosol"],
    PC_ETM: ["lwir", "atran", "cdist", "drad", "urad", "trad", "emis", "emsd", "qa", "atmos_opacity"],
}


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in NO_REFLECTANCE.items() for key in keys])
def test_temperature_probability_and_metadata_are_no_reflectance(shared_data: Path, name: str, key: str) -> None:
    scene = scene_of(shared_data, name)
    assert key in scene.assets
    assert key not in reflectance_assets(scene)
    with pytest.raises(BandNotFound):
        resolve_band(scene, key)


@pytest.mark.parametrize("name", [C1, PC, STACTOOLS, TPS])
def test_common_name_of_three_bands_means_none_of_them(shared_data: Path, name: str) -> None:
    with pytest.raises(BandNotFound) as error:
        resolve_band(scene_of(shared_data, name), "rededge")
    assert error.value.details["band"] == "rededge"


def test_b8a_called_rededge_is_still_the_narrow_near_infrared(shared_data: Path) -> None:
    scene = scene_of(shared_data, PC)
    assert scene.assets["B8A"]["eo:bands"][0]["common_name"] == "rededge"
    assert resolve_band(scene, "nir08").asset == "B8A"
    assert resolve_band(scene, "nir").asset == "B08"


@pytest.mark.parametrize(
    ("name", "keys"),
    [(TPS, ["visual", "visual-jp2"]), (C1, ["visual"]), (PC, ["visual"]), (V0, ["visual", "overview"]),
     (CDSE_0500, ["TCI_10m", "TCI_20m"]), (STACTOOLS, ["visual", "visual_20m"])],
)  # fmt: skip
def test_composites_hold_no_band(shared_data: Path, name: str, keys: list[str]) -> None:
    item = stored_item(shared_data, name)
    for key in keys:
        with pytest.raises(BandNotFound):
            resolve_band(as_scene(item), key)
    # Not even where they are all that has a red band.
    item["assets"] = {key: asset for key, asset in item["assets"].items() if key in keys}
    with pytest.raises(BandNotFound):
        resolve_band(as_scene(item), "red")


def test_stac_1_1_tells_scale_and_nodata_in_the_bands_or_on_the_asset(shared_data: Path) -> None:
    item = stored_item(shared_data, CDSE_0500)
    asset = item["assets"]["B04_10m"]
    told = {name: asset.pop(name) for name in ("raster:scale", "raster:offset", "nodata")}
    assert told == {"raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0}
    asset["bands"][0] |= {"raster:scale": 0.0002, "raster:offset": -0.05, "nodata": 7}
    band = resolve_band(as_scene(item), "red")
    assert (band.scale, band.offset, band.nodata) == (0.0002, -0.05, 7.0)


def test_raster_bands_of_stac_1_0_in_an_item_that_says_1_1(shared_data: Path) -> None:
    item = stored_item(shared_data, C1)
    assert item["stac_version"] == "1.1.0"
    item["assets"]["red"]["raster:bands"][0] |= {"scale": 0.0002, "offset": -0.05, "nodata": 7}
    band = resolve_band(as_scene(item), "red")
    assert (band.scale, band.offset, band.nodata) == (0.0002, -0.05, 7.0)


def test_band_without_nodata_has_0(shared_data: Path) -> None:
    item = stored_item(shared_data, CDSE_0512)
    assert "nodata" not in stored_item(shared_data, PC)["assets"]["B04"]
    assert resolve_band(scene_of(shared_data, PC), "red").nodata == 0.0
    del item["assets"]["B04_10m"]["nodata"]
    assert resolve_band(as_scene(item), "red").nodata == 0.0


def test_zone_is_not_padded_in_the_ids_of_earth_search(shared_data: Path) -> None:
    name = ProductName.parse("S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531")
    assert name is not None
    assert {"S2B_6VVN_20190629_0_L2A", "S2B_6VVN_20190629_1_L2A"} <= set(name.likely_item_ids())
    assert not any("06VVN_2019" in item_id for item_id in name.likely_item_ids())
    # Planetary Computer pads it, and leaves out the baseline.
    assert stored_item(shared_data, PC)["id"] in name.likely_item_ids()


@pytest.mark.parametrize(
    "broken",
    [
        {"nodata": "none"},
        {"raster:bands": [{"nodata": "nan", "scale": "tiny"}]},
        {"raster:bands": [{"scale": []}]},
        {"raster:bands": [{"scale": 0}]},
        {"raster:bands": [{"scale": "nan"}]},
        {"raster:bands": 7},
        {"eo:bands": 7},
        {"eo:bands": "red"},
        {"eo:bands": [None]},
        {"roles": 5},
        {"gsd": "ten"},
    ],
    ids=json.dumps,
)
def test_metadata_of_the_wrong_type_end_in_a_band_or_in_a_named_error(
    shared_data: Path, broken: dict[str, Any]
) -> None:
    item = stored_item(shared_data, TPS)
    item["assets"]["red"] |= broken
    try:
        band = resolve_band(as_scene(item), "red")
    except (BandNotFound, OffsetUnknown):
        return
    assert 0 < band.scale < 1
    assert np.isfinite([band.scale, band.offset]).all()


# --- Flags that the pixels contradict -------------------------------------------------------------------------------

SIDE = 100
VALID = SIDE * SIDE // 2  # the other half is nodata
DARK, BRIGHT, NIR = 500, 1300, 4000


def ndvi_of(item: dict[str, Any], dark: int, files: RangeServer, catalogue: StacServer, directory: Path) -> Product:
    """NDVI of the item over small files: `dark` of its valid red numbers are below 1000. One half is nodata."""
    red, nir = np.zeros((SIDE, SIDE), np.uint16), np.zeros((SIDE, SIDE), np.uint16)
    red.flat[:VALID], nir.flat[:VALID] = BRIGHT, NIR
    red.flat[:dark] = DARK
    for key, pixels in (("red", red), ("nir", nir)):
        write_tif(files.folder / f"{key}.tif", pixels, nodata=0)
        item["assets"][key]["href"] = f"{files.url}/{key}.tif"
        item["assets"][key].pop("proj:shape", None)
    # The small files lie elsewhere.
    for field in ("proj:code", "proj:epsg"):
        item["properties"].pop(field, None)
    item["links"] = []
    root = catalogue.serve(item["collection"], [item])
    config = config_for(roots={"sentinel-2": [root]}, private_hosts=frozenset({files.host, catalogue.host}))
    product = item["properties"]["s2:product_uri"].removesuffix(".SAFE")
    return run(ndvi_request(product), directory, lambda share: None, config)


def flagged(shared_data: Path, applied: Any) -> dict[str, Any]:
    """No stored item has the flag false over baseline 05; this is a real one whose flag was flipped."""
    item = stored_item(shared_data, TPS)
    item["properties"]["earthsearch:boa_offset_applied"] = applied
    return item


def offsets(product: Product) -> set[float]:
    return {band["offset"] for band in product.provenance["scenes"][0]["bands"].values()}


def bright_ndvi(product: Product) -> float:
    return float(read_tif(product.path).flat[VALID - 1])


APPLIED_ALREADY = (NIR - BRIGHT) / (NIR + BRIGHT)  # 0.509
APPLIED_NOW = (NIR - BRIGHT) / (NIR + BRIGHT - 2000)  # 0.818


def test_wrong_flag_is_seen_in_the_pixels_and_told(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    product = ndvi_of(flagged(shared_data, False), VALID * 21 // 100, range_server, stac_server, tmp_path)
    assert offsets(product) == {0.0}
    assert bright_ndvi(product) == pytest.approx(APPLIED_ALREADY, abs=1e-6)
    (warning,) = (text for text in product.warnings if "offset" in text)
    assert "S2A_MSIL2A_20230602T100601" in warning
    reasons = {band["offset_reason"] for band in product.provenance["scenes"][0]["bands"].values()}
    assert all("pixels" in reason for reason in reasons)


def test_shifted_pixels_win_over_a_flag_that_denies_the_shift(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    product = ndvi_of(flagged(shared_data, True), 0, range_server, stac_server, tmp_path)
    assert offsets(product) == {-0.1}
    assert bright_ndvi(product) == pytest.approx(APPLIED_NOW, abs=1e-6)
    (warning,) = product.warnings
    assert "offset of 0 for red" in warning


@pytest.mark.parametrize("applied", [None, "false", False])
def test_flag_that_agrees_with_the_pixels_is_no_warning(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path, applied: Any
) -> None:
    product = ndvi_of(flagged(shared_data, applied), 0, range_server, stac_server, tmp_path)
    assert offsets(product) == {-0.1}
    assert product.warnings == ()


@pytest.mark.parametrize("applied", [True, "true", "True"])
def test_flag_is_read_as_text_too(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path, applied: Any
) -> None:
    product = ndvi_of(flagged(shared_data, applied), VALID, range_server, stac_server, tmp_path)
    assert offsets(product) == {0.0}
    assert product.warnings == ()


def test_plain_pixels_of_any_collection_win_over_the_metadata(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    product = ndvi_of(stored_item(shared_data, C1), VALID * 9 // 10, range_server, stac_server, tmp_path)
    assert offsets(product) == {0.0}
    assert bright_ndvi(product) == pytest.approx(APPLIED_ALREADY, abs=1e-6)
    (check,) = (scene["offset_check"] for scene in product.provenance["scenes"])
    assert (check["shift"], check["below_percent"], check["pixels"]) == ("plain", pytest.approx(90), VALID)


def test_pixels_decide_if_baselines_contradict_each_other(
    shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    item = stored_item(shared_data, C1)
    item["properties"]["s2:processing_baseline"] = "03.01"
    product = ndvi_of(item, 0, range_server, stac_server, tmp_path)
    assert offsets(product) == {-0.1}
    assert any("03.01" in warning and "05.11" in warning for warning in product.warnings)
