"""What the classes make of typical spectra is what the documentation says of them."""

from pathlib import Path

import numpy as np
import pytest

from processing.raster.operations._change_rule import classify
from processing.raster.types import Float32Array

PAGE = (Path(__file__).parents[3] / "docs" / "accuracy.md").read_text()

BANDS = ("blue", "green", "red", "nir", "swir16")
BAND_SETS = (("red", "nir"), ("red", "nir", "swir16"), BANDS)
SPECTRA = {
    "forest": (0.02, 0.04, 0.025, 0.32, 0.14),
    "forest shadow": (0.012, 0.02, 0.012, 0.14, 0.05),
    "deep shadow": (0.01, 0.012, 0.01, 0.03, 0.015),
    "crop": (0.03, 0.07, 0.04, 0.42, 0.19),
    "flooded crop": (0.04, 0.07, 0.06, 0.16, 0.05),
    "stubble": (0.07, 0.10, 0.13, 0.22, 0.30),
    "bare soil": (0.09, 0.13, 0.18, 0.26, 0.34),
    "wet soil": (0.05, 0.07, 0.10, 0.14, 0.18),
    "flooded soil": (0.06, 0.09, 0.10, 0.10, 0.04),
    "sand": (0.20, 0.28, 0.35, 0.42, 0.48),
    "urban": (0.11, 0.13, 0.16, 0.22, 0.23),
    "clear water": (0.04, 0.035, 0.02, 0.01, 0.005),
    "algae": (0.03, 0.08, 0.04, 0.14, 0.02),
    "snow": (0.85, 0.85, 0.83, 0.78, 0.12),
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.split("|")[1:2] and line.split("|")[1].strip() in SPECTRA
]


def seen(ground: str, bands: tuple[str, ...]) -> dict[str, Float32Array]:
    return {band: np.array([[SPECTRA[ground][BANDS.index(band)]]], np.float32) for band in bands}


def test_the_page_has_its_table() -> None:
    assert len(ROWS) >= 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}, {row[1]}")
def test_table_of_the_page_is_what_the_rule_gives(row: list[str]) -> None:
    before, after, *documented, _ = row
    found = [int(classify(seen(before, bands), seen(after, bands), 0.1)[0, 0]) for bands in BAND_SETS]
    assert found == [int(code) for code in documented]
