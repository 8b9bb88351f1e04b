"""What items say about how their scenes were taken and named: real ones of every catalogue, and odd ones."""

from pathlib import Path
from typing import Any

import pytest

from processing.raster.radiometry.acquisition import (
    path_and_row,
    product_name,
    relative_orbit,
    sun_azimuth,
    sun_elevation,
)
from processing.raster.radiometry.mask_classes import masked_classes
from tests.raster.support.items import real_scene, scene

# Product, relative orbit, WRS path and row, sun's elevation and azimuth as the item has them.
ITEMS: dict[str, tuple[Any, ...]] = {
    "cdse-v1_s2-l2a_stac11_FeatureCollection_N0500": (
        "S2B_MSIL2A_20200322T074609_N0500_R135_T36NYH_20230612T214223", 135, None, 65.92, 92.84),
    "earthsearch-v0_s2-cogs_2020_S2A_28QCH_20200714_0_L2A": (
        "S2A_MSIL2A_20200714T115221_N0214_R123_T28QCH_20200714T191310", 123, None, None, None),
    "earthsearch-v1_s2-c1-l2a_stac11_S2B_T38XNF_20250422T091553_L2A": (
        "S2B_MSIL2A_20250422T091559_N0511_R093_T38XNF_20250422T101110", 93, None, 29.70, 187.87),
    "earthsearch-v1_s2-l2a_2023_boa-true_S2A_32TPS_20230602_0_L2A": (
        "S2A_MSIL2A_20230602T100601_N0509_R022_T32TPS_20230602T162001", 22, None, 63.23, 150.26),
    "pc_s2-l2a_pb0212_S2B_MSIL2A_20190629T212529": (
        "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531", 43, None, 90 - 37.91, 170.15),
    "landsatlook_c2l2-sr_LC08_L2SP_028030_20200114_20200824_02_T1_SR": (
        "LC08_L2SP_028030_20200114_20200824_02_T1", None, "028/030", 22.58, 158.45),
    "stactools-landsat_c2l2_pc-shape_LE07_L2SP_021030_20100109_02_T1": (
        "LE07_L2SP_021030_20100109_20200911_02_T1", None, "021/030", 21.39, 156.98),
}  # fmt: skip


@pytest.mark.parametrize("name", ITEMS)
def test_real_items_say_how_they_were_taken(shared_data: Path, name: str) -> None:
    found = real_scene(shared_data, name)
    product, orbit, wrs, elevation, azimuth = ITEMS[name]
    assert product_name(found) == product
    assert relative_orbit(found) == orbit
    assert path_and_row(found) == wrs
    assert sun_elevation(found) == (elevation and pytest.approx(elevation, abs=0.01))
    assert sun_azimuth(found) == (azimuth and pytest.approx(azimuth, abs=0.01))


@pytest.mark.parametrize("odd", [None, "low", True, [], {}, float("nan"), float("inf")])
def test_odd_values_are_unknown(odd: Any) -> None:
    found = scene({}, view__sun_elevation=odd, view__sun_azimuth=odd, sat__relative_orbit=odd, landsat__wrs_path=odd)
    assert sun_elevation(found) is None
    assert sun_azimuth(found) is None
    assert relative_orbit(found) is None
    assert path_and_row(found) is None
    assert product_name(found) is None


def test_sun_on_the_horizon_is_known() -> None:
    assert sun_elevation(scene({}, view__sun_elevation=0, s2__mean_solar_zenith=50.0)) == 0
    assert sun_azimuth(scene({}, view__sun_azimuth=0, s2__mean_solar_azimuth=50.0)) == 0


def test_masked_classes_have_the_names_of_their_publishers() -> None:
    assert [(each["value"], each["name"]) for each in masked_classes("scl")] == [
        (0, "no data"),
        (1, "saturated or defective"),
        (3, "cloud shadow"),
        (8, "cloud, medium probability"),
        (9, "cloud, high probability"),
        (10, "thin cirrus"),
        (11, "snow or ice"),
    ]
    assert [(each["bit"], each["name"]) for each in masked_classes("qa_pixel")] == [
        (0, "fill"),
        (1, "dilated cloud"),
        (2, "cirrus"),
        (3, "cloud"),
        (4, "cloud shadow"),
        (5, "snow"),
    ]
