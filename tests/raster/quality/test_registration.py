"""How far scenes lie apart is measured to a tenth of a pixel, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from processing.raster.quality.registration import TILE, median_length, shift_between
from processing.raster.types import Float32Array
from tests.raster.support.pairs import AFTER, Dense, Layer, Result, Shot, compare, square, to_dn, write_shots

EVERYWHERE = np.ones((TILE, TILE), np.bool_)
FINER = 8  # pixels of the ground in one of a scene
SIDE = 300
LATER = AFTER.replace("20250115T184929", "20240730T184929")


def ground(side: int = SIDE + 4, seed: int = 1) -> Dense:
    """Fractal ground, 0.02 to 0.3, at a finer resolution than that of scenes."""
    size = side * FINER
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    waves = np.fft.fft2(np.random.default_rng(seed).normal(size=(size, size))) / frequency**1.2
    heights: Dense = np.fft.ifft2(waves).real
    scaled: Dense = 0.02 + 0.28 * (heights - heights.min()) / np.ptp(heights)
    return scaled


def seen(land: Dense, down: float, right: float) -> Dense:
    """What a sensor sees of it whose image lies that many pixels further down and right."""
    top, left = (round((2 - shift) * FINER) for shift in (down, right))
    part = land[top : top + SIDE * FINER, left : left + SIDE * FINER]
    image: Dense = part.reshape(SIDE, FINER, SIDE, FINER).mean(axis=(1, 3))
    return image


LAND = ground()


def tile(down: float, right: float) -> Float32Array:
    return seen(LAND, down, right)[:TILE, :TILE].astype(np.float32)


@pytest.mark.parametrize("down", [0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("right", [0.0, -0.25, 0.625])
def test_shift_is_measured_to_a_tenth_of_a_pixel(down: float, right: float) -> None:
    shift = shift_between(tile(0, 0), tile(down, right), EVERYWHERE)
    assert shift == pytest.approx((down, right), abs=0.1)


def test_shift_of_many_pixels_is_measured() -> None:
    land = LAND[::FINER, ::FINER].astype(np.float32)
    assert shift_between(land[20 : 20 + TILE, 5 : 5 + TILE], land[8 : 8 + TILE, 12 : 12 + TILE], EVERYWHERE) == (12, -7)


def test_brightness_and_noise_do_not_matter() -> None:
    noise = np.random.default_rng(5).normal(scale=0.003, size=(TILE, TILE))
    shift = shift_between(tile(0, 0), (0.05 + 1.3 * tile(0.5, 0.25) + noise).astype(np.float32), EVERYWHERE)
    assert shift == pytest.approx((0.5, 0.25), abs=0.1)


def test_images_that_do_not_match_have_no_shift() -> None:
    random = np.random.default_rng(2)
    first, second = (random.normal(size=(TILE, TILE)).astype(np.float32) for _ in range(2))
    assert shift_between(first, second, EVERYWHERE) is None
    other = seen(ground(seed=9), 0, 0)[:TILE, :TILE].astype(np.float32)
    assert shift_between(tile(0, 0), other, EVERYWHERE) is None


def test_even_ground_and_much_nodata_have_no_shift() -> None:
    assert shift_between(np.zeros((TILE, TILE), np.float32), tile(0, 0), EVERYWHERE) is None
    gaps = EVERYWHERE.copy()
    gaps[:40] = False
    assert shift_between(tile(0, 0), tile(0, 0), gaps) is None


def test_length_is_that_of_the_median_shift() -> None:
    assert median_length([(3.0, 4.0), (3.0, 4.0), (-9.0, 20.0)]) == 5
    assert median_length([]) is None


def job(directory: Path, down: float, right: float = 0.0) -> Result:
    """A scene, and the same shifted, two weeks later."""
    shots = []
    for name, seen_red in ((None, seen(LAND, 0, 0)), (LATER, seen(LAND, down, right))):
        on = square(SIDE, SIDE)
        layers = {
            "red": Layer(dn=to_dn(seen_red), grid=on),
            "nir": Layer(dn=to_dn(seen_red + 0.3), grid=on),
        }
        shots.append(Shot(layers=layers) if name is None else Shot(layers=layers, name=name))
    return compare(write_shots(directory / "scenes", *shots), directory / "out", after=LATER, cloud_mask=False)


@pytest.mark.parametrize("down", [0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0])
def test_job_measures_a_shift_and_warns_from_three_tenths_on(tmp_path: Path, down: float) -> None:
    product = job(tmp_path, down).product
    assert product.quality["registration_shift_px"] == pytest.approx(down, abs=0.1)
    warned = [warning for warning in product.warnings if "shifted" in warning]
    assert len(warned) == (down >= 0.3)
    assert all(f"{product.quality['registration_shift_px']:.2f} pixel" in warning for warning in warned)


def test_shift_across_counts_both_ways(tmp_path: Path) -> None:
    product = job(tmp_path, 0.25, -0.25).product
    assert product.quality["registration_shift_px"] == pytest.approx(0.354, abs=0.1)
    assert any("shifted" in warning for warning in product.warnings)
