"""Which offset a scene's DN have: by processing baseline, flag and declaration, and never by guessing."""

from typing import Any

import pytest

from processing.raster.errors import OffsetUnknown
from processing.raster.radiometry import resolve_band
from processing.raster.radiometry.offset import processing_baseline
from processing.raster.radiometry.offset_check import Shift
from processing.raster.types import Band
from tests.raster.support.items import scene, scene_of


def shifted(**more: Any) -> dict[str, Any]:
    return {"raster:bands": [{"nodata": 0, "scale": 1e-4, "offset": -0.1}], **more}


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
def test_baseline_is_found_in_each_property_that_may_hold_it(properties: dict[str, str]) -> None:
    assert offset_of(shifted(), **properties) == 0


def test_baseline_is_found_in_an_item_id_that_is_the_product_name() -> None:
    item = scene({"red": {}}).item
    name = "S2A_MSIL2A_20200714T115221_N0500_R123_T28QCH_20230714T191310"
    assert resolve_band(scene_of({**item, "id": name}), "red").offset == -0.1


def contradiction(declared: str, named: str) -> dict[str, str]:
    product = f"S2A_MSIL2A_20200714T115221_N{named}_R123_T28QCH_20230714T191310.SAFE"
    return {"s2__processing_baseline": declared, "s2__product_uri": product}


@pytest.mark.parametrize("properties", [contradiction("02.14", "0500"), contradiction("05.00", "0214")])
@pytest.mark.parametrize(("pixels", "offset"), [(Shift.SHIFTED, -0.1), (Shift.PLAIN, 0.0)])
def test_pixels_alone_decide_between_baselines_that_contradict_each_other(
    properties: dict[str, str], pixels: Shift, offset: float
) -> None:
    scene_in_doubt = scene({"red": shifted()}, **properties)
    with pytest.raises(OffsetUnknown):
        resolve_band(scene_in_doubt, "red")
    assert resolve_band(scene_in_doubt, "red", pixels).offset == offset


def test_baselines_that_differ_but_have_the_same_offset_are_no_contradiction() -> None:
    assert offset_of(shifted(), **contradiction("05.00", "0511")) == -0.1
    assert offset_of({}, **contradiction("02.14", "0301")) == 0


def test_scene_that_says_nothing_has_the_offset_that_its_pixels_show() -> None:
    silent = scene({"red": {}})
    assert resolve_band(silent, "red", Shift.SHIFTED).offset == -0.1
    assert resolve_band(silent, "red", Shift.PLAIN).offset == 0


def test_pixels_win_over_metadata_and_the_reason_says_so() -> None:
    applied = scene({"red": shifted()}, s2__processing_baseline="05.09", earthsearch__boa_offset_applied=True)
    band = resolve_band(applied, "red", Shift.SHIFTED)
    assert (band.offset, "pixels are shifted" in band.offset_reason) == (-0.1, True)
    assert resolve_band(applied, "red", Shift.PLAIN).offset_reason == resolve_band(applied, "red").offset_reason


def test_pixels_say_nothing_of_the_offset_of_landsat() -> None:
    landsat = scene({"red": {}}, platform="landsat-8")
    assert resolve_band(landsat, "red", Shift.PLAIN).offset == -0.2


def test_applied_offset_is_not_applied_again() -> None:
    applied: dict[str, Any] = {"s2__processing_baseline": "05.09", "earthsearch__boa_offset_applied": True}
    assert offset_of(shifted(), **applied) == 0
    assert offset_of({}, **applied) == 0


def test_raw_jpeg_2000_asset_of_the_same_item_keeps_its_offset() -> None:
    applied: dict[str, Any] = {"s2__processing_baseline": "05.09", "earthsearch__boa_offset_applied": True}
    assert offset_of({**shifted(), "type": "image/jp2"}, "red-jp2", **applied) == -0.1


@pytest.mark.parametrize(
    "asset",
    [
        {"raster:bands": [{"offset": -0.15, "scale": 1e-4}]},
        {"bands": [{"raster:offset": -0.15, "raster:scale": 1e-4}]},
        {"raster:offset": -0.15, "raster:scale": 1e-4},
    ],
)
def test_declared_offset_is_read_in_each_version_of_stac(asset: dict[str, Any]) -> None:
    assert offset_of(asset, s2__processing_baseline="05.11") == -0.15
    assert offset_of(asset) == -0.15


def test_declared_offset_of_0_holds_unless_the_baseline_contradicts_it() -> None:
    plain = {"raster:bands": [{"offset": 0, "scale": 1e-4}]}
    assert offset_of(plain) == 0
    with pytest.raises(OffsetUnknown):
        offset_of(plain, s2__processing_baseline="05.11")


@pytest.mark.parametrize("baseline", ["04.00", "05.00", "05.11", "06.00"])
def test_asset_without_an_offset_has_one_from_baseline_4_on(baseline: str) -> None:
    assert offset_of({}, s2__processing_baseline=baseline) == -0.1
    assert offset_of({}, processing__version=baseline) == -0.1


@pytest.mark.parametrize("date", ["2019-06-29T21:25:29Z", "2025-01-15T18:56:01Z"])
def test_unknown_offset_is_never_guessed_from_the_date(date: str) -> None:
    with pytest.raises(OffsetUnknown) as error:
        offset_of({}, datetime=date)
    assert error.value.details == {"scene_id": "any:scene", "asset": "red"}


@pytest.mark.parametrize("declared", ["05.10", "05.09", "02.14", "10.00"])
def test_baseline_is_the_catalogues_text(declared: str) -> None:
    assert processing_baseline(scene({}, s2__processing_baseline=declared)) == declared
    assert processing_baseline(scene({}, processing__version=declared)) == declared
    product = f"S2A_MSIL2A_20200714T115221_N{declared.replace('.', '')}_R123_T28QCH_20230714T191310.SAFE"
    assert processing_baseline(scene({}, s2__product_uri=product)) == declared


@pytest.mark.parametrize("declared", [5.1, 5, "5.1", "05.1", "", None, [], "unknown"])
def test_text_that_is_no_baseline_is_not_taken_for_one(declared: Any) -> None:
    assert processing_baseline(scene({}, s2__processing_baseline=declared)) is None


def test_reason_names_the_baseline_as_the_catalogue_writes_it() -> None:
    band = resolve_band(scene({"red": {}}, s2__processing_baseline="05.10"), "red")
    assert band.offset_reason == "processing baseline 05.10"
