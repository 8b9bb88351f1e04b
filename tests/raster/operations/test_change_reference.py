"""A second, plain writing of the rule makes the same map, pixel for pixel."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from processing.raster.cog.pyramid import WINDOW
from processing.raster.sandbox.catalogue import sandbox_catalogue
from processing.raster.sandbox.landscape import BANDS
from processing.raster.types import PixelArray
from tests.raster.support.change_rule import BAND_SETS, Rule
from tests.raster.support.configs import config_for
from tests.raster.support.pairs import (
    AFTER,
    SPECTRA,
    SPECTRUM_COLUMN,
    Codes,
    Layer,
    Reflectances,
    Shot,
    classes_of,
    compare,
    square,
    to_dn,
    to_reflectance,
    write_shots,
)

HIDDEN = (0, 1, 3, 8, 9, 10, 11)  # classes of a scene classification


@dataclass(frozen=True)
class Pair:
    """DN and masks of two scenes of one place, and the map that the rule makes of them."""

    dn: tuple[Mapping[str, PixelArray], Mapping[str, PixelArray]]
    scl: tuple[Codes, Codes]
    expected: Codes

    def shots(self) -> tuple[Shot, Shot]:
        height, width = self.expected.shape
        before, after = (
            Shot(
                layers={
                    **{name: Layer(dn=values, grid=square(width, height)) for name, values in bands.items()},
                    "scl": Layer(dn=scl, grid=square(width, height)),
                }
            )
            for bands, scl in zip(self.dn, self.scl, strict=True)
        )
        return before, after.named(AFTER)


def ground(random: np.random.Generator, bands: tuple[str, ...], count: int) -> tuple[Reflectances, Reflectances]:
    """Typical ground: much of it changes, much of it stays the same, some of it is random."""
    spectra = np.array(list(SPECTRA.values()))
    kinds = random.integers(0, len(spectra), (2, count))
    kinds[1] = np.where(random.random(count) < 0.3, kinds[0], kinds[1])
    noise = random.normal(1, 0.15, (2, count, 6)).clip(0)
    anything = random.random((2, count)) < 0.2
    reflectance = np.where(anything[..., None], random.uniform(-0.02, 1.2, (2, count, 6)), spectra[kinds] * noise)
    reflectance[1] = np.where((random.random(count) < 0.1)[:, None], reflectance[0], reflectance[1])
    before, after = (
        {band: to_reflectance(to_dn(date[:, SPECTRUM_COLUMN[band]])) for band in bands} for date in reflectance
    )
    if {"nir", "nir08"} <= set(bands):
        for date in (before, after):
            date["nir08"] = to_reflectance(to_dn(date["nir"] * random.normal(1.02, 0.05, count)))
    return before, after


def decided_ground(
    seed: int, bands: tuple[str, ...], threshold: float, shape: tuple[int, int]
) -> tuple[Reflectances, Reflectances, Codes]:
    """Ground on which every comparison of the rule is clear, and its map."""
    random = np.random.default_rng(seed)
    count = shape[0] * shape[1]
    before, after = ground(random, bands, count)
    rule = Rule(before, after, threshold)
    assert rule.too_close.mean() < 1e-3
    while (unclear := np.flatnonzero(rule.too_close)).size:
        anew = ground(random, bands, unclear.size)
        for date, drawn in zip((before, after), anew, strict=True):
            for band in bands:
                date[band][unclear] = drawn[band]
        rule = Rule(before, after, threshold)
    dates = [{band: values.reshape(shape) for band, values in date.items()} for date in (before, after)]
    return dates[0], dates[1], rule.classes.reshape(shape)


@cache
def pair(bands: tuple[str, ...], threshold: float, shape: tuple[int, int]) -> Pair:
    """Scenes with holes, saturated pixels and clouds of their own."""
    before, after, expected = decided_ground(len(bands), bands, threshold, shape)
    random = np.random.default_rng(7)
    dn = tuple({band: to_dn(values) for band, values in date.items()} for date in (before, after))
    scl = tuple(random.choice(np.arange(12, dtype=np.uint8), shape) for _ in range(2))
    expected = np.where(np.isin(scl[0], HIDDEN) | np.isin(scl[1], HIDDEN), 255, expected).astype(np.uint8)
    for date in dn:
        for values in date.values():
            values[random.random(shape) < 0.02] = 0
            values[random.random(shape) < 0.01] = 65535
            expected[(values == 0) | (values == 65535)] = 255
    return Pair(dn=(dn[0], dn[1]), scl=(scl[0], scl[1]), expected=expected)


@pytest.mark.parametrize("bands", BAND_SETS, ids="-".join)
@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.37])
def test_rule_on_dense_arrays_with_every_band_set(bands: tuple[str, ...], threshold: float) -> None:
    before, after, expected = decided_ground(3, bands, threshold, (60, 70))
    before, after = ({band: values.clip(0) for band, values in date.items()} for date in (before, after))
    np.testing.assert_array_equal(classes_of(before, after, threshold), expected)


CASES: list[tuple[tuple[str, ...], float, tuple[int, int]]] = [
    (("red", "nir"), 0.1, (1025, 1023)),
    (("red", "nir", "swir16"), 0.1, (700, 513)),
    (("red", "nir08", "swir22"), 0.2, (513, 700)),
    (("blue", "red", "nir", "swir16"), 0.1, (257, 2100)),
    (("green", "swir16"), 0.05, (1100, 129)),
    (("blue", "green", "red", "nir", "nir08", "swir16", "swir22"), 0.15, (301, 1041)),
    (("green", "nir"), 0.0, (1, 1025)),
]


@pytest.mark.parametrize(("bands", "threshold", "shape"), CASES, ids=lambda value: str(value).replace(" ", ""))
def test_map_of_the_pipeline(tmp_path: Path, bands: tuple[str, ...], threshold: float, shape: tuple[int, int]) -> None:
    scenes = pair(bands, threshold, shape)
    result = compare(
        write_shots(tmp_path / "scenes", *scenes.shots()), tmp_path / "out", bands=list(bands), threshold=threshold
    )
    np.testing.assert_array_equal(result.pixels, scenes.expected)


def test_scenes_of_the_test_hold_every_class() -> None:
    assert set(np.unique(pair(*CASES[1]).expected)) == {0, 1, 2, 3, 4, 255}


def test_map_without_masks(tmp_path: Path) -> None:
    bands, threshold, shape = CASES[1]
    scenes = pair(bands, threshold, shape)
    config = write_shots(tmp_path / "scenes", *scenes.shots())
    result = compare(config, tmp_path / "out", bands=list(bands), threshold=threshold, cloud_mask=False)
    with_data = np.logical_and.reduce(
        [(values != 0) & (values != 65535) for date in scenes.dn for values in date.values()]
    )
    dates = [{band: to_reflectance(values) for band, values in date.items()} for date in scenes.dn]
    rule = Rule(dates[0], dates[1], threshold)
    decided = with_data & ~rule.too_close
    assert decided.sum() > 0.999 * with_data.sum()
    np.testing.assert_array_equal(result.pixels != 255, with_data)
    np.testing.assert_array_equal(result.pixels[decided], rule.classes[decided])


def test_statistics_are_those_of_the_map(tmp_path: Path) -> None:
    bands, threshold, shape = CASES[1]
    scenes = pair(bands, threshold, shape)
    result = compare(write_shots(tmp_path / "scenes", *scenes.shots()), tmp_path / "out", bands=list(bands))
    statistics, valid = result.statistics, int((scenes.expected != 255).sum())
    counts = [int((scenes.expected == code).sum()) for code in range(5)]
    assert result.pixels_by_class == counts
    assert [row["value"] for row in statistics["classes"]] == [0, 1, 2, 3, 4]
    assert [row["hectares"] for row in statistics["classes"]] == pytest.approx(
        [count / 100 for count in counts], rel=2e-3
    )
    assert [row["percent"] for row in statistics["classes"]] == pytest.approx([100 * n / valid for n in counts])
    assert statistics["valid_percent"] == pytest.approx(100 * valid / scenes.expected.size)
    assert statistics["overlap_percent"] == pytest.approx(100)
    with_data = np.logical_and.reduce(
        [(values != 0) & (values != 65535) for date in scenes.dn for values in date.values()]
    )
    assert statistics["masked_percent"] == pytest.approx(100 * (1 - valid / with_data.sum()))


class RandomGround:
    """Ground for the sandbox's own writer: every band at full resolution, nodata and clouds at both dates."""

    def __init__(self, scenes: Pair) -> None:
        self._scenes = scenes

    @property
    def size(self) -> int:
        return len(self._scenes.expected)

    def reflectance(self, date: str, band: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        numbers = self._scenes.dn[date == "after"][band].astype(np.float64)
        reflectance = np.where(numbers == 0, np.nan, to_reflectance(numbers))
        return reflectance.astype(np.float32)

    def scene_classification(self, date: str) -> PixelArray:
        return self._scenes.scl[date == "after"]

    def truth(self) -> PixelArray:
        return self._scenes.expected


def test_map_of_scenes_that_the_sandbox_writes(tmp_path: Path) -> None:
    scenes = pair(BANDS, 0.1, (517, 517))
    sandbox_catalogue(tmp_path / "sandbox", RandomGround(scenes))
    config = config_for(sandbox=tmp_path / "sandbox")
    result = compare(config, tmp_path / "out", bands=list(BANDS))
    saturated = np.logical_or.reduce([values == 65535 for date in scenes.dn for values in date.values()])
    # The sandbox writes no saturated DN: these pixels are very bright there.
    np.testing.assert_array_equal(result.pixels[~saturated], scenes.expected[~saturated])


def test_windows_leave_no_seam(tmp_path: Path) -> None:
    """One field of gain across all windows stays one piece, and nothing beside it changes."""
    height, width = 2100, 1100
    before = {"red": np.full((height, width), 0.18), "nir": np.full((height, width), 0.26)}
    inside = np.zeros((height, width), np.bool_)
    inside[100:2090, 50:1090] = True
    after = {"red": np.where(inside, 0.04, 0.18), "nir": np.where(inside, 0.42, 0.26)}
    shots = [
        Shot(layers={name: Layer(dn=to_dn(values), grid=square(width, height)) for name, values in d.items()})
        for d in (before, after)
    ]
    result = compare(write_shots(tmp_path / "scenes", shots[0], shots[1].named(AFTER)), tmp_path / "out")
    assert min(height, width) > WINDOW
    np.testing.assert_array_equal(result.pixels, inside)
