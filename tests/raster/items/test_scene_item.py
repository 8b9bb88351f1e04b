"""A scene as callers see it: the STAC Item of each real item, with the reading of the pipeline."""

import json
from pathlib import Path
from typing import Any

import pytest

from processing.raster.catalogues.sources import sources_of
from processing.raster.items import scene_item
from processing.raster.radiometry.bands import resolve_band, resolve_mask
from processing.raster.types import S3Access, Scene, SceneId
from tests.raster.support.configs import config_for
from tests.raster.support.served_catalogues import stored_item

WITH_BUCKETS = config_for(s3=S3Access(access_key="AKREADER", secret_key="of-the-reader"))
TPS = "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A"
C1 = "earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A"
CDSE = "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500"
PC = "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529"
PC_OLI = "stactools-landsat_c2l2_pc-shape_LC09_L2SP_010065_20220129_02_T1"
LOOK_ETM = "landsatlook_c2l2-sr_LE07_L2SP_044033_20210329_20210424_02_T1_SR"
# file, provider, title, cloud cover, platform, CRS, red's asset; near infrared's asset, native and common name
ITEMS = [
    (TPS, "sentinel-2", "Sentinel-2 L2A", 31.735489, "sentinel-2a", "EPSG:32632", "red", ("nir", "B08", "nir")),
    (C1, "sentinel-2", "Sentinel-2 L2A", 91.145676, "sentinel-2b", "EPSG:32638", "red", ("nir", "B08", "nir")),
    (CDSE, "sentinel-2", "Sentinel-2 L2A", 87.94, "sentinel-2b", "EPSG:32636", "B04_10m", ("B08_10m", "B08", "nir")),
    (PC, "planetary-computer", "Planetary Computer", 0.314306, "sentinel-2b", "EPSG:32606", "B04",
     ("B08", "B08", "nir")),
    (PC_OLI, "planetary-computer", "Planetary Computer", 21.12, "landsat-9", "EPSG:32617", "red",
     ("nir08", "B05", "nir08")),
    (LOOK_ETM, "landsat", "Landsat Collection 2 Level-2", 0, "landsat-7", "EPSG:32610", "red",
     ("nir08", "B04", "nir08")),
]  # fmt: skip
FILES = [file for file, *_ in ITEMS]


def scene_of(item: dict[str, Any], provider: str = "sentinel-2") -> Scene:
    scene_id = SceneId(provider=provider, original_id="the-id-that-was-asked-for")
    return Scene(id=scene_id, item=item, sources=sources_of(item, WITH_BUCKETS.network))


@pytest.mark.parametrize(("file", "provider", "title", "cloud", "platform", "crs", "red", "nir"), ITEMS, ids=FILES)
def test_item_says_place_time_and_platform(
    shared_data: Path, file: str, provider: str, title: str, cloud: float, platform: str, crs: str, red: str, nir: Any
) -> None:
    stored = stored_item(shared_data, file)
    item = scene_item(scene_of(stored, provider))
    assert (item["type"], item["stac_version"], item["id"]) == (
        "Feature",
        "1.1.0",
        f"{provider}:the-id-that-was-asked-for",
    )
    assert (item["geometry"], item["bbox"]) == (stored["geometry"], stored["bbox"])
    properties = item["properties"]
    assert properties["datetime"] == stored["properties"]["datetime"]
    assert properties["eo:cloud_cover"] == cloud
    assert properties["platform"].lower().replace("_", "-") == platform
    assert properties["proj:code"] == crs
    assert properties["astra:provider"] == provider
    assert properties["astra:provider_name"] == title
    assert properties["astra:original_id"] == stored["id"]


@pytest.mark.parametrize("file", FILES)
def test_item_has_its_ground_sample_distance(shared_data: Path, file: str) -> None:
    expected = 30 if file in (PC_OLI, LOOK_ETM) else 10
    assert scene_item(scene_of(stored_item(shared_data, file)))["properties"]["gsd"] == expected


@pytest.mark.parametrize(("file", "provider", "title", "cloud", "platform", "crs", "red", "nir"), ITEMS, ids=FILES)
def test_bands_are_named_by_native_and_common_name(
    shared_data: Path, file: str, provider: str, title: str, cloud: float, platform: str, crs: str, red: str, nir: Any
) -> None:
    assets = scene_item(scene_of(stored_item(shared_data, file)))["assets"]
    asset, native, common = nir
    assert assets[asset]["bands"] == [{"name": native, "eo:common_name": common}]
    assert assets[red]["bands"][0]["eo:common_name"] == "red"
    assert assets[red]["roles"] == ["data", "reflectance"]


@pytest.mark.parametrize("file", FILES)
def test_scale_offset_and_nodata_are_those_of_the_pipeline(shared_data: Path, file: str) -> None:
    scene = scene_of(stored_item(shared_data, file))
    assets = scene_item(scene)["assets"]
    for name in ("red", "nir", "green", "blue", "swir16", "swir22", "nir08"):
        band = resolve_band(scene, name)
        asset = assets[band.asset]
        assert (asset["raster:scale"], asset["raster:offset"], asset["nodata"]) == (
            band.scale,
            band.offset,
            band.nodata,
        )
        assert asset["astra:offset_reason"] == band.offset_reason
    mask = resolve_mask(scene)
    assert mask is not None
    assert "mask" in assets[mask.asset]["roles"]
    assert "raster:scale" not in assets[mask.asset]


def test_item_has_the_applied_offset_and_not_the_declared_one(shared_data: Path) -> None:
    asset = scene_item(scene_of(stored_item(shared_data, TPS)))["assets"]
    assert (asset["red"]["raster:offset"], asset["red-jp2"]["raster:offset"]) == (0.0, -0.1)
    assert "raster:bands" not in asset["red"]


@pytest.mark.parametrize("file", FILES)
def test_every_reflectance_asset_has_a_band_name_of_its_sensor(shared_data: Path, file: str) -> None:
    """Nothing else is offered as reflectance: no temperature, no probability, no composite, no metadata."""
    for key, asset in scene_item(scene_of(stored_item(shared_data, file)))["assets"].items():
        if "reflectance" in asset["roles"]:
            name = asset["bands"][0]["name"]
            assert name.startswith(("B", "rededge", "nir09", "coastal")), key


def test_unknown_offset_is_explained_and_not_invented(shared_data: Path) -> None:
    stored = stored_item(shared_data, PC)
    for name in ("s2:processing_baseline", "s2:product_uri"):
        del stored["properties"][name]
    asset = scene_item(scene_of(stored))["assets"]["B04"]
    assert "raster:offset" not in asset
    assert "offset" in asset["astra:offset_reason"]


@pytest.mark.parametrize("file", FILES)
def test_item_is_json_without_token_or_secret(shared_data: Path, file: str) -> None:
    text = json.dumps(scene_item(scene_of(stored_item(shared_data, file))), allow_nan=False)
    assert "of-the-reader" not in text
    assert "token" not in text
