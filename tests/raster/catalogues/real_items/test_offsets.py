"""The offset of real items: by flag, declaration, baseline or product name, never by the date and never guessed."""

from pathlib import Path

import pytest

from processing.raster.errors import OffsetUnknown
from processing.raster.radiometry.bands import resolve_band, resolve_mask
from processing.raster.types import S3File
from tests.raster.catalogues.real_items.stored import C1, CDSE_0500, PC, TPS, as_scene, scene_of
from tests.raster.support.served_catalogues import stored_item


def test_flag_that_the_offset_is_applied_wins_over_a_declared_offset(shared_data: Path) -> None:
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


def test_jp2_replaces_a_missing_cog_with_its_own_offset(shared_data: Path) -> None:
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
def test_baseline_decides_if_nothing_is_declared(shared_data: Path, baseline: str, offset: float) -> None:
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
    assert resolve_band(as_scene(item), "red").offset == -0.1  # by Nxxxx of the product name


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
