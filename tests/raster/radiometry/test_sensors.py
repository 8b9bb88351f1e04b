"""The table of sensors: a sensor is one row, and all that a scene needs follows from it."""

from dataclasses import replace
from typing import Any

import pytest

from processing.raster.catalogues.landsat_products import LandsatName
from processing.raster.catalogues.sentinel_2_products import ProductName
from processing.raster.errors import BandNotFound
from processing.raster.items import scene_item
from processing.raster.operations import get_operation
from processing.raster.radiometry import resolve_band, resolve_mask, sensor_of, sensor_of_product, sensors
from processing.raster.radiometry.acquisition import product_name
from processing.raster.radiometry.sensors import UNKNOWN, Sensor
from processing.raster.types import RemoteFile, Scene, SceneId

ROW = Sensor(
    name="Orchard Imager",
    platforms=("orchard-",),
    satellites="S9[XY]|LX1[01]",
    bands={"red": "R1", "nir": "N1", "hedge": "H1"},
    scale=0.5,
    offset=-3.0,
    offset_since=None,
    nodata=7.0,
    gsd=5.0,
    masks=("qa_pixel",),
)
SENTINEL_NAME = "S9X_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616"
LANDSAT_NAME = "LX10_L2SP_044034_20250110_20250112_02_T1"


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Sensor:
    """ROW, in the table."""
    monkeypatch.setattr(sensors, "SENSORS", (*sensors.SENSORS, ROW))
    return ROW


def scene(*keys: str, platform: str = "Orchard_1", **properties: Any) -> Scene:
    item = {"id": "item", "properties": {"platform": platform, **properties}, "assets": {key: {} for key in keys}}
    sources = {key: RemoteFile(url=f"https://files.example/{key}.tif") for key in keys}
    return Scene(id=SceneId(provider="sentinel-2", original_id="scene"), item=item, sources=sources)


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("asked", "asset"), [("red", "R1"), ("R1", "R1"), ("nir", "nir"), ("N1", "nir"), ("hedge", "H1")]
)
def test_bands_of_a_new_row_are_found_by_both_names(asked: str, asset: str) -> None:
    assert resolve_band(scene("R1", "nir", "H1", "T1", "qa_pixel"), asked).asset == asset


@pytest.mark.usefixtures("row")
def test_asset_that_is_no_band_of_a_new_row_is_not_found() -> None:
    with pytest.raises(BandNotFound, match="It has: R1"):
        resolve_band(scene("R1", "T1", "qa_pixel"), "T1")


def test_scale_offset_and_nodata_come_from_a_new_row(row: Sensor) -> None:
    band = resolve_band(scene("R1"), "red")
    assert (band.scale, band.offset, band.nodata) == (0.5, -3.0, 7.0)
    assert band.offset_reason == row.name


@pytest.mark.parametrize(("baseline", "offset"), [("06.99", 0.0), ("07.00", -3.0), ("10.01", -3.0)])
def test_offset_of_a_row_holds_from_its_baseline_on(
    monkeypatch: pytest.MonkeyPatch, baseline: str, offset: float
) -> None:
    monkeypatch.setattr(sensors, "SENSORS", (replace(ROW, offset_since=7.0),))
    assert resolve_band(scene("R1", **{"s2:processing_baseline": baseline}), "red").offset == offset


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("name", [SENTINEL_NAME, LANDSAT_NAME])
def test_name_of_a_new_rows_product_stands_in_the_provenance(name: str) -> None:
    assert product_name(scene("R1", **{"s2:product_uri": f"{name}.SAFE"})) == name


def test_name_of_a_satellite_in_no_row_is_no_product() -> None:
    assert product_name(scene("R1", **{"s2:product_uri": f"{SENTINEL_NAME}.SAFE"})) is None


@pytest.mark.usefixtures("row")
def test_mask_of_a_new_row_is_only_of_its_kind() -> None:
    mask = resolve_mask(scene("R1", "scl", "qa_pixel"))
    assert mask is not None
    assert (mask.asset, mask.kind) == ("qa_pixel", "qa_pixel")
    assert resolve_mask(scene("R1", "scl")) is None


@pytest.mark.usefixtures("row")
def test_item_of_a_new_row_has_its_gsd_and_band_names() -> None:
    item = scene_item(scene("R1", "nir", "qa_pixel"))
    assert item["properties"]["gsd"] == 5.0
    assert item["assets"]["R1"]["bands"] == [{"name": "R1", "eo:common_name": "red"}]
    assert item["assets"]["nir"]["bands"] == [{"name": "N1", "eo:common_name": "nir"}]
    assert item["assets"]["qa_pixel"]["roles"] == ["mask"]


def test_product_names_of_a_new_row_are_known(row: Sensor) -> None:
    assert sensor_of_product(SENTINEL_NAME) is sensor_of_product(LANDSAT_NAME) is row
    assert ProductName.parse(SENTINEL_NAME) is not None
    assert LandsatName.parse(LANDSAT_NAME) is not None
    ids = [SceneId(provider="sentinel-2", original_id=name) for name in (SENTINEL_NAME, LANDSAT_NAME)]
    change = get_operation("change_detection")
    assert change.normalise(change.params_model(bands=["R1", "N1"]), ids).bands == ["red", "nir"]


def test_product_names_of_a_satellite_without_a_row_are_refused() -> None:
    assert sensor_of_product(SENTINEL_NAME) is sensor_of_product(LANDSAT_NAME) is UNKNOWN
    assert ProductName.parse(SENTINEL_NAME) is None
    assert LandsatName.parse(LANDSAT_NAME) is None


@pytest.mark.parametrize("name", ["LC08", "LC09", "LO08", "LT04", "LT05", "LE07"])
def test_landsat_satellites_with_level_2_products_are_known(name: str) -> None:
    assert LandsatName.parse(LANDSAT_NAME.replace("LX10", name)) is not None


@pytest.mark.parametrize("name", ["LC05", "LC07", "LE08", "LT07", "LM05", "LC10", "lc08"])
def test_landsat_satellites_without_level_2_products_are_refused(name: str) -> None:
    assert LandsatName.parse(LANDSAT_NAME.replace("LX10", name)) is None


def test_scene_of_an_unknown_sensor_is_read_like_sentinel_2_if_roles_mark_its_bands() -> None:
    asset = {"roles": ["reflectance"], "eo:bands": [{"common_name": "red"}]}
    unknown = scene("R1", "qa_pixel", **{"s2:processing_baseline": "05.11"})
    unknown = replace(unknown, item={**unknown.item, "assets": {"R1": asset, "B08": {}, "qa_pixel": {}}})
    assert sensor_of(unknown) is UNKNOWN
    band, mask = resolve_band(unknown, "red"), resolve_mask(unknown)
    assert (band.asset, band.scale, band.offset, band.nodata) == ("R1", 1e-4, -0.1, 0.0)
    assert mask is not None
    assert mask.kind == "qa_pixel"
    with pytest.raises(BandNotFound):
        resolve_band(unknown, "B08")
    assert scene_item(unknown)["properties"]["gsd"] is None
