"""What red pixels show of the offset: on scenes made of real spectra, with and without it, and on real scenes."""

from pathlib import Path

import numpy as np
import pytest

from processing.raster.radiometry.offset_check import Shift, check_offset
from processing.raster.radiometry.sensors import SENTINEL_2
from processing.raster.types import PixelArray
from tests.raster.support.rasters import read_tif
from tests.raster.support.real_scenes import SCENES, scene_file

PIXELS = 60_000
PLAIN, SHIFTED, UNDECIDED = Shift.PLAIN, Shift.SHIFTED, Shift.UNDECIDED

# Red reflectance (mean, standard deviation) and share of each kind of ground: after ECOSTRESS and published S2 spectra.
GROUNDS = {
    "open sea": [(0.006, 0.004, 1.0)],
    "overcorrected sea": [(-0.001, 0.004, 1.0)],
    "turbid sea": [(0.05, 0.02, 0.6), (0.012, 0.005, 0.4)],
    "sea and haze": [(0.03, 0.008, 1.0)],
    "rain forest": [(0.022, 0.005, 1.0)],
    "forest and fields": [(0.025, 0.008, 0.5), (0.045, 0.015, 0.3), (0.15, 0.04, 0.2)],
    "forest under half a cloud": [(0.025, 0.008, 0.4), (0.15, 0.05, 0.1), (0.7, 0.1, 0.5)],
    "city": [(0.16, 0.05, 0.45), (0.05, 0.02, 0.25), (0.025, 0.01, 0.2), (0.3, 0.08, 0.1)],
    "savanna with a river": [(0.12, 0.03, 0.75), (0.03, 0.01, 0.25)],
    "desert of sand": [(0.38, 0.05, 1.0)],
    "desert of gravel": [(0.22, 0.03, 1.0)],
    "dark bare soil": [(0.17, 0.015, 1.0)],
    "desert with wadis": [(0.33, 0.06, 0.9), (0.17, 0.03, 0.1)],
    "ice": [(0.85, 0.06, 1.0)],
    "snow with shadows": [(0.8, 0.1, 0.97), (0.13, 0.02, 0.03)],
    "closed cloud": [(0.65, 0.12, 1.0)],
}
DARK = [
    "open sea",
    "overcorrected sea",
    "turbid sea",
    "sea and haze",
    "rain forest",
    "forest and fields",
    "forest under half a cloud",
    "city",
    "savanna with a river",
]


def dn_of(ground: str, offset: float) -> PixelArray:
    """Valid DN as a file has them: whole, and at least 1."""
    random = np.random.default_rng(13)
    parts = [
        # Red reflectance is positive, unless the atmospheric correction takes off too much.
        random.gamma((mean / spread) ** 2, spread**2 / mean, int(share * PIXELS))
        if mean > 0
        else random.normal(mean, spread, int(share * PIXELS))
        for mean, spread, share in GROUNDS[ground]
    ]
    return np.rint((np.concatenate(parts) - offset) / 1e-4).clip(1, 65534).astype(np.uint16)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(("offset", "right"), [(0.0, PLAIN), (-0.1, SHIFTED)])
def test_pixels_show_the_offset_or_leave_it_undecided(ground: str, offset: float, right: Shift) -> None:
    shown = check_offset(dn_of(ground, offset), SENTINEL_2).shift
    assert shown is (right if ground in DARK else UNDECIDED)


def test_desert_of_plain_pixels_with_water_is_plain() -> None:
    pixels = np.concatenate([dn_of("desert of sand", 0.0), dn_of("open sea", 0.0)[: PIXELS // 20]])
    assert check_offset(pixels, SENTINEL_2).shift is PLAIN


@pytest.mark.parametrize("item_id", SCENES)
def test_real_scene_shows_whether_it_is_shifted(shared_data: Path, item_id: str) -> None:
    """The catalogue has applied the offset to these; adding 1000 undoes it."""
    red = read_tif(scene_file(shared_data, item_id, "B04.tif"))
    plain = red[red != 0]
    assert check_offset(plain, SENTINEL_2).shift is PLAIN
    assert check_offset(plain + np.uint16(1000), SENTINEL_2).shift is SHIFTED
    assert check_offset(plain + np.uint16(2000), SENTINEL_2).shift is UNDECIDED


@pytest.mark.parametrize("pixels", [0, 1, 99])
def test_too_few_pixels_show_nothing(pixels: int) -> None:
    assert check_offset(np.full(pixels, 300, np.uint16), SENTINEL_2).shift is UNDECIDED


def test_figures_are_shares_of_the_pixels() -> None:
    red = np.repeat(np.array([700, 900, 1100, 1500, 4000], np.uint16), (10, 20, 30, 40, 100))
    check = check_offset(red, SENTINEL_2)
    assert check.provenance() == {
        "shift": "plain",
        "pixels": 200,
        "darkest_permille": 0.07,
        "below_percent": 5.0,
        "clipped_percent": 15.0,
        "dark_percent": 60.0,
        "bright_percent": 50.0,
    }
