"""Masks that come with scenes: what they hide, and what a result says about it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.errors import NoValidPixels
from processing.raster.radiometry.masks import clear_pixels
from tests.raster.support.pairs import (
    AFTER,
    Codes,
    Dn,
    Layer,
    Shot,
    compare,
    ndvi,
    square,
    to_dn,
    write_shots,
)

# No data, saturated or defective, cloud shadow, cloud of medium and high probability, thin cirrus, snow.
HIDDEN_SCL = {0, 1, 3, 8, 9, 10, 11}
HIDDEN_QA_BITS = {0: "fill", 1: "dilated cloud", 2: "cirrus", 3: "cloud", 4: "cloud shadow", 5: "snow"}
SHAPE = (40, 50)
LANDSAT = {"platform": "landsat-8"}


def test_scene_classification_of_every_dn() -> None:
    dn = np.arange(256, dtype=np.uint8)
    hidden = np.flatnonzero(~clear_pixels(dn, "scl"))
    assert set(hidden.tolist()) == HIDDEN_SCL


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_scene_classification_of_every_dtype(dtype: str) -> None:
    dn = np.arange(12).astype(dtype).reshape(3, 4)
    hidden = ~clear_pixels(dn, "scl")
    assert hidden.shape == (3, 4)
    assert set(np.flatnonzero(hidden).tolist()) == HIDDEN_SCL


def test_quality_bits_of_every_dn() -> None:
    dn = np.arange(65536, dtype=np.uint16)
    hidden = np.zeros(65536, np.bool_)
    for bit in HIDDEN_QA_BITS:
        hidden |= (dn >> bit) % 2 == 1
    np.testing.assert_array_equal(~clear_pixels(dn, "qa_pixel"), hidden)


@pytest.mark.parametrize(
    ("dn", "clear"),
    [(21824, True), (21888, True), (21952, True), (1, False), (22280, False), (23888, False), (54596, False)],
)
def test_quality_of_real_scenes(dn: int, clear: bool) -> None:
    """Clear land, clear with the clear bit alone, clear water; fill, cloud, shadow, cirrus."""
    assert clear_pixels(np.array([dn], np.uint16), "qa_pixel").item() is clear


def scene(mask: Codes | Dn | None = None, key: str = "scl", **properties: Any) -> Shot:
    random = np.random.default_rng(3)
    layers = {
        band: Layer(dn=to_dn(random.uniform(low, low + 0.1, SHAPE)), grid=square(*SHAPE[::-1]))
        for band, low in (("red", 0.05), ("nir", 0.3))
    }
    if mask is not None:
        layers[key] = Layer(dn=mask, grid=square(*SHAPE[::-1]))
    return Shot(layers=layers, properties=properties)


def half(first: int, second: int, dtype: type[np.unsignedinteger[Any]] = np.uint8) -> Any:
    """A mask whose upper half has one DN, and whose lower half has another."""
    dn = np.full(SHAPE, first, dtype)
    dn[SHAPE[0] // 2 :] = second
    return dn


def test_masks_of_both_dates_count(tmp_path: Path) -> None:
    left = np.full(SHAPE, 4, np.uint8)
    left[:, :20] = 9
    config = write_shots(tmp_path / "scenes", scene(half(4, 3)), scene(left).named(AFTER))
    result = compare(config, tmp_path / "out")
    clear = (half(4, 3) == 4) & (left == 4)
    np.testing.assert_array_equal(result.pixels == 255, ~clear)
    hidden = 100 * (1 - clear.mean())
    assert result.statistics["masked_percent"] == pytest.approx(hidden)
    assert result.statistics["valid_percent"] == pytest.approx(100 - hidden)
    assert any("70 % of the pixels are masked" in warning for warning in result.product.warnings)


def test_quality_bits_hide_landsat_pixels(tmp_path: Path) -> None:
    mask = half(21824, 22280, np.uint16)
    shots = [scene(mask, "qa_pixel", **LANDSAT), scene(half(21824, 21824, np.uint16), "qa_pixel", **LANDSAT)]
    result = compare(write_shots(tmp_path / "scenes", shots[0], shots[1].named(AFTER)), tmp_path / "out")
    np.testing.assert_array_equal(result.pixels == 255, mask == 22280)


@pytest.mark.parametrize(("rows", "warned"), [(19, False), (20, False), (21, True)])
def test_more_than_half_masked_is_a_warning(tmp_path: Path, rows: int, warned: bool) -> None:
    mask = np.full(SHAPE, 4, np.uint8)
    mask[:rows] = 8
    result = compare(write_shots(tmp_path / "scenes", scene(mask), scene(half(4, 4)).named(AFTER)), tmp_path / "out")
    assert result.statistics["masked_percent"] == pytest.approx(100 * rows / 40)
    assert any("masked" in warning for warning in result.product.warnings) is warned


def test_masked_percent_is_of_the_pixels_with_data(tmp_path: Path) -> None:
    mask = half(4, 8)
    shot = scene(mask)
    for row in (range(10), range(20, 30)):
        shot.layers["red"].dn[list(row)] = 0
    result = compare(write_shots(tmp_path / "scenes", shot, scene(half(4, 4)).named(AFTER)), tmp_path / "out")
    assert result.statistics["masked_percent"] == pytest.approx(50)
    assert result.statistics["valid_percent"] == pytest.approx(25)


def test_masks_hide_nothing_without_cloud_mask(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", scene(half(9, 9)), scene(half(8, 8)).named(AFTER))
    result = compare(config, tmp_path / "out", cloud_mask=False)
    assert result.statistics["valid_percent"] == pytest.approx(100)
    assert "masked_percent" not in result.statistics
    assert not any("no cloud mask" in warning for warning in result.product.warnings)
    assert [scene["mask"] for scene in result.product.provenance["scenes"]] == [None, None]


def test_missing_mask_is_a_warning_and_no_error(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", scene(half(4, 9)), scene().named(AFTER))
    result = compare(config, tmp_path / "out")
    np.testing.assert_array_equal(result.pixels == 255, half(4, 9) == 9)
    about_masks = [warning for warning in result.product.warnings if "no cloud mask" in warning]
    assert len(about_masks) == 1
    assert AFTER in about_masks[0]
    assert [scene["mask"] for scene in result.product.provenance["scenes"]] == ["scl", None]


def test_all_masked_is_an_error_that_says_so(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", scene(half(4, 9)), scene(half(8, 5)).named(AFTER))
    with pytest.raises(NoValidPixels) as error:
        compare(config, tmp_path / "out")
    assert "masked" in error.value.message
    assert error.value.details["masked_percent"] == pytest.approx(100)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("colormap", [None, "viridis"])
def test_ndvi_masks_clouds_only_if_asked_to(tmp_path: Path, colormap: str | None) -> None:
    config = write_shots(tmp_path / "scenes", scene(half(4, 9)))
    default = ndvi(config, tmp_path / "default", colormap=colormap)
    unmasked = ndvi(config, tmp_path / "unmasked", colormap=colormap, cloud_mask=False)
    masked = ndvi(config, tmp_path / "masked", colormap=colormap, cloud_mask=True)
    np.testing.assert_array_equal(default.pixels, unmasked.pixels)
    assert default.statistics == unmasked.statistics
    assert default.statistics["valid_percent"] == pytest.approx(100)
    assert "masked_percent" not in default.statistics
    nodata = np.isnan(masked.pixels) if colormap is None else masked.pixels == 0
    np.testing.assert_array_equal(nodata, half(4, 9) == 9)
    np.testing.assert_array_equal(masked.pixels[~nodata], default.pixels[~nodata])
    assert masked.statistics["masked_percent"] == pytest.approx(50)
    assert masked.statistics["valid_percent"] == pytest.approx(50)
    upper = default.pixels[:20] if colormap is None else None
    if upper is not None:
        assert masked.statistics["mean"] == pytest.approx(float(upper.mean(dtype=np.float64)), rel=1e-6)


def test_ndvi_warns_of_a_missing_mask_only_if_asked_for_one(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", scene())
    assert ndvi(config, tmp_path / "default").product.warnings == ()
    (warning,) = ndvi(config, tmp_path / "masked", cloud_mask=True).product.warnings
    assert "no cloud mask" in warning


def test_unknown_class_of_a_mask_hides_nothing(tmp_path: Path) -> None:
    """Real masks that were resampled hold a few 12."""
    config = write_shots(tmp_path / "scenes", scene(half(12, 200)), scene(half(4, 4)).named(AFTER))
    assert compare(config, tmp_path / "out").statistics["valid_percent"] == pytest.approx(100)
