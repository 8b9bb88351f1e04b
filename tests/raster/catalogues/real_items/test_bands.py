"""The bands of real items: native resolution, reflectance only, no composites, and scale and nodata as declared."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.catalogues.sentinel_2_products import ProductName
from processing.raster.errors import BandNotFound, OffsetUnknown
from processing.raster.radiometry.bands import reflectance_assets, resolve_band
from tests.raster.catalogues.real_items.stored import (
    C1,
    CDSE_0500,
    CDSE_0512,
    PC,
    PC_ETM,
    PC_OLI,
    STACTOOLS,
    TPS,
    V0,
    as_scene,
    scene_of,
)
from tests.raster.support.served_catalogues import stored_item


@pytest.mark.parametrize("name", [CDSE_0500, CDSE_0512])
def test_band_of_cdse_has_its_native_resolution_unless_the_asset_is_named(shared_data: Path, name: str) -> None:
    scene = scene_of(shared_data, name)
    # B01_20m is finer than the sensor sees: it is B01_60m, sampled up.
    for asked, asset in {"red": "B04_10m", "B11": "B11_20m", "B8A": "B8A_20m", "coastal": "B01_60m"}.items():
        assert resolve_band(scene, asked).asset == asset
    assert resolve_band(scene, "B04_20m").asset == "B04_20m"


@pytest.mark.parametrize("name", [CDSE_0500, CDSE_0512])
@pytest.mark.parametrize("key", ["AOT_10m", "AOT_20m", "WVP_10m", "SCL_20m", "AOT", "WVP", "SCL"])
def test_asset_that_is_no_reflectance_is_no_band_even_if_it_declares_an_offset(
    shared_data: Path, name: str, key: str
) -> None:
    with pytest.raises(BandNotFound):
        resolve_band(scene_of(shared_data, name), key)


# Quality, temperature, probabilities and files that are no raster.
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
    # Not even if they are the only assets with a red band.
    item["assets"] = {key: asset for key, asset in item["assets"].items() if key in keys}
    with pytest.raises(BandNotFound):
        resolve_band(as_scene(item), "red")


def test_stac_1_1_declares_scale_and_nodata_in_the_bands_or_on_the_asset(shared_data: Path) -> None:
    item = stored_item(shared_data, CDSE_0500)
    asset = item["assets"]["B04_10m"]
    declared = {name: asset.pop(name) for name in ("raster:scale", "raster:offset", "nodata")}
    assert declared == {"raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0}
    asset["bands"][0] |= {"raster:scale": 0.0002, "raster:offset": -0.05, "nodata": 7}
    band = resolve_band(as_scene(item), "red")
    assert (band.scale, band.offset, band.nodata) == (0.0002, -0.05, 7.0)


def test_raster_bands_of_stac_1_0_count_in_an_item_of_1_1(shared_data: Path) -> None:
    item = stored_item(shared_data, C1)
    assert item["stac_version"] == "1.1.0"
    item["assets"]["red"]["raster:bands"][0] |= {"scale": 0.0002, "offset": -0.05, "nodata": 7}
    band = resolve_band(as_scene(item), "red")
    assert (band.scale, band.offset, band.nodata) == (0.0002, -0.05, 7.0)


def test_nodata_is_0_unless_declared(shared_data: Path) -> None:
    assert "nodata" not in stored_item(shared_data, PC)["assets"]["B04"]
    assert resolve_band(scene_of(shared_data, PC), "red").nodata == 0.0
    item = stored_item(shared_data, CDSE_0512)
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
def test_metadata_of_the_wrong_type_make_a_plausible_band_or_a_named_error(
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
