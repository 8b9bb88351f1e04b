"""The numbers of `result.quality`, and the warnings that follow from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.raster.support.pairs import (
    BEFORE,
    Dense,
    Layer,
    Result,
    Shot,
    compare,
    ndvi,
    square,
    to_dn,
    write_shots,
)

ON = square(200, 160)
MASK = square(100, 80, 20.0)
TWO_WEEKS_LATER = BEFORE.replace("20240715T184929", "20240729T184929")


def even(value: float) -> Dense:
    return np.full(ON.shape, value)


def scl(cloud_rows: int, cloud: int = 9) -> Layer:
    dn = np.full(MASK.shape, 4, np.uint8)
    dn[:cloud_rows] = cloud
    return Layer(dn=dn, grid=MASK)


def scene(bands: Mapping[str, Dense], name: str = BEFORE, mask: Layer | None = None, **properties: Any) -> Shot:
    layers = {band: Layer(dn=to_dn(values), grid=ON) for band, values in bands.items()}
    return Shot(layers={**layers, **({"scl": mask} if mask else {})}, name=name, properties=properties)


def ordinary(red: float = 0.05, nir: float = 0.3) -> dict[str, Dense]:
    return {"red": even(red), "nir": even(nir)}


def ndvi_of(directory: Path, shot: Shot, **params: Any) -> Result:
    return ndvi(write_shots(directory / "scenes", shot), directory / "out", **params)


def pair(directory: Path, before: Shot, after: Shot, **params: Any) -> Result:
    config = write_shots(directory / "scenes", before, after)
    return compare(config, directory / "out", before.name, after.name, **params)


# --- Scenes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "warned"), [(0, False), (15, False), (24, True), (80, True)])
def test_ndvi_says_how_cloudy_the_scene_is_although_nothing_is_masked(tmp_path: Path, rows: int, warned: bool) -> None:
    product = ndvi_of(tmp_path, scene(ordinary(), mask=scl(rows))).product
    (of_scene,) = product.quality["scenes"]
    assert of_scene["clear_percent"] == pytest.approx(100 - 100 * rows / 80)
    assert any(f"{100 * rows / 80:.0f} % of scene" in warning for warning in product.warnings) is warned
    assert product.statistics["valid_percent"] == pytest.approx(100)


def test_nodata_of_a_mask_is_neither_clear_nor_cloudy(tmp_path: Path) -> None:
    mask = scl(40, 0)
    mask.dn[40:50] = 8
    (of_scene,) = ndvi_of(tmp_path, scene(ordinary(), mask=mask)).product.quality["scenes"]
    assert of_scene["clear_percent"] == pytest.approx(75)


def test_clear_percent_is_of_the_area_of_interest(tmp_path: Path) -> None:
    west, south, east, north = -122.5454, 37.7500, -122.5250, 37.7570  # the upper half, about
    product = ndvi_of(tmp_path, scene(ordinary(), mask=scl(80)), aoi=[west, south, east, north]).product
    assert product.quality["scenes"][0]["clear_percent"] == 0


def test_clear_percent_with_a_mask_is_what_it_leaves(tmp_path: Path) -> None:
    product = ndvi_of(tmp_path, scene(ordinary(), mask=scl(20)), cloud_mask=True, mask_dilation=40).product
    assert product.quality["scenes"][0]["clear_percent"] == pytest.approx(100 - 100 * 22 / 80)
    assert not any("not masked" in warning for warning in product.warnings)


def test_scene_without_a_mask_or_with_one_that_cannot_be_read_has_no_clear_percent(tmp_path: Path) -> None:
    assert ndvi_of(tmp_path / "a", scene(ordinary())).product.quality["scenes"][0]["clear_percent"] is None
    config = write_shots(tmp_path / "scenes", scene(ordinary(), mask=scl(80)))
    (path,) = (tmp_path / "scenes").rglob("scl.tif")
    path.write_bytes(b"II*\0 and nothing more")
    product = ndvi(config, tmp_path / "out").product
    assert product.quality["scenes"][0]["clear_percent"] is None


def test_clipped_saturated_and_darkest_pixels(tmp_path: Path) -> None:
    bands = ordinary()
    bands["red"][:8] = -0.02
    shot = scene(bands)
    shot.layers["nir"].dn[8:12] = 65535
    shot.layers["red"].dn[80:] = 0
    (of_scene,) = ndvi_of(tmp_path, shot).product.quality["scenes"]
    assert of_scene["clipped_percent"] == pytest.approx(10)
    assert of_scene["saturated_percent"] == pytest.approx(5)
    assert of_scene["darkest_red"] == pytest.approx(-0.02)


@pytest.mark.parametrize(
    ("properties", "warned"),
    [
        ({"view:sun_elevation": 24.0}, True),
        ({"view:sun_elevation": 60.0}, False),
        ({"s2:mean_solar_zenith": 70.0}, True),
        ({"s2:mean_solar_zenith": 30.0}, False),
        ({}, False),
    ],
)
def test_low_sun_is_a_warning(tmp_path: Path, properties: dict[str, Any], warned: bool) -> None:
    said = ndvi_of(tmp_path, scene(ordinary(), **properties)).product.warnings
    assert any("degrees high" in warning for warning in said) is warned


# --- Pairs ------------------------------------------------------------------------------------------------------------


def test_noise_of_the_index_is_its_median_and_robust_deviation(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    after = {"red": even(0.05), "nir": random.normal(0.3, 0.01, ON.shape)}
    after["nir"][:20] = 0.9  # an eighth changes, which is no noise
    quality = pair(tmp_path, scene(ordinary()), scene(after, TWO_WEEKS_LATER)).product.quality
    differences = (np.round(after["nir"], 4) - 0.05) / (np.round(after["nir"], 4) + 0.05) - 0.25 / 0.35
    deviation = 1.4826 * np.median(np.abs(differences - np.median(differences)))
    assert quality["index_differences"]["NDVI"]["median"] == pytest.approx(np.median(differences), abs=1e-5)
    assert quality["index_differences"]["NDVI"]["deviation"] == pytest.approx(deviation, abs=1e-5)
    assert quality["sampled_pixels"] == 200 * 160


@pytest.mark.parametrize(("nir", "warned"), [(0.3, False), (0.32, False), (0.40, True), (0.25, True)])
def test_ndvi_that_differs_everywhere_is_a_warning(tmp_path: Path, nir: float, warned: bool) -> None:
    said = pair(tmp_path, scene(ordinary()), scene(ordinary(nir=nir), TWO_WEEKS_LATER)).product.warnings
    assert any("NDVI differs by" in warning for warning in said) is warned


@pytest.mark.parametrize(("rows", "warned"), [(20, False), (40, True)])
def test_much_change_in_little_time_is_a_warning(tmp_path: Path, rows: int, warned: bool) -> None:
    after = ordinary()
    after["nir"][:rows] = 0.6
    result = pair(tmp_path, scene(ordinary()), scene(after, TWO_WEEKS_LATER))
    assert result.product.quality["changed_percent"] == pytest.approx(100 * rows / 160)
    assert any("within 14 days" in warning for warning in result.product.warnings) is warned


def test_change_in_none_of_the_classes_is_counted(tmp_path: Path) -> None:
    """Bare ground that only becomes brighter is changed, but no class of change."""
    before, after = {"red": even(0.2), "nir": even(0.25)}, {"red": even(0.2), "nir": even(0.25)}
    after["red"][:32], after["nir"][:32] = 0.4, 0.5
    after["nir"][32:40] = 0.9
    quality = pair(tmp_path, scene(before), scene(after, TWO_WEEKS_LATER)).product.quality
    assert quality["unclassified_percent"] == pytest.approx(80)
    assert quality["changed_percent"] == pytest.approx(5)


@pytest.mark.parametrize(
    ("name", "properties", "warned"),
    [
        (TWO_WEEKS_LATER, {}, False),
        (TWO_WEEKS_LATER.replace("R070", "R027"), {}, True),
        (TWO_WEEKS_LATER, {"sat:relative_orbit": 27}, True),
        (TWO_WEEKS_LATER, {"s2:product_uri": None}, False),
    ],
)
def test_different_relative_orbits_are_a_warning(
    tmp_path: Path, name: str, properties: dict[str, Any], warned: bool
) -> None:
    said = pair(tmp_path, scene(ordinary()), scene(ordinary(), name, **properties)).product.warnings
    assert any("relative orbits" in warning for warning in said) is warned


@pytest.mark.parametrize(
    ("moment", "warned"),
    [
        ("2025-07-01T18:56:01Z", False),
        ("2024-08-30T18:56:01Z", False),
        ("2024-10-15T18:56:01Z", True),
        ("2020-01-15T18:56:01Z", True),
        (None, False),
    ],
)
def test_another_season_is_a_warning(tmp_path: Path, moment: str | None, warned: bool) -> None:
    after = scene(ordinary(), TWO_WEEKS_LATER, datetime=moment)
    said = pair(tmp_path, scene(ordinary()), after).product.warnings
    assert any("course of the year" in warning for warning in said) is warned


@pytest.mark.parametrize(("blue", "warned"), [(False, True), (True, False)])
def test_built_up_gain_without_blue_is_a_warning(tmp_path: Path, blue: bool, warned: bool) -> None:
    before = {"blue": even(0.02), "red": even(0.025), "nir": even(0.32), "swir16": even(0.14)}
    after = {"blue": even(0.11), "red": even(0.16), "nir": even(0.22), "swir16": even(0.23)}
    bands = [name for name in before if blue or name != "blue"]
    result = pair(tmp_path, scene(before), scene(after, TWO_WEEKS_LATER), bands=bands)
    assert result.pixels_by_class[3] == 200 * 160
    assert any("without the band blue" in warning for warning in result.product.warnings) is warned


def test_what_params_cannot_show_is_a_note_and_no_warning(tmp_path: Path) -> None:
    product = pair(tmp_path, scene(ordinary()), scene(ordinary(), TWO_WEEKS_LATER), cloud_mask=False).product
    assert product.warnings == ()
    (note,) = product.notes
    assert "built-up gain is never found" in note
    assert ndvi_of(tmp_path / "ndvi", scene(ordinary())).product.notes == ()


def test_area_without_valid_pixels_in_the_sample_leaves_out_what_is_unknown(tmp_path: Path) -> None:
    """One pixel of 1,400 x 1,400 is valid, and the sample misses it."""
    on = square(1400, 1400)
    dn = np.zeros(on.shape, np.uint16)
    dn[1, 1] = 3000
    layers = {band: Layer(dn=dn, grid=on) for band in ("red", "nir")}
    shots = Shot(layers=layers), Shot(layers=layers, name=TWO_WEEKS_LATER)
    quality = pair(tmp_path, *shots).product.quality
    assert quality["scenes"][0]["clipped_percent"] is None
    assert quality["registration_shift_px"] is None
    assert "index_differences" not in quality
