"""Warnings that a caller should read before trusting the map of a pair of scenes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster.radiometry.sensors import OLI, SENTINEL_2
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    OFFSET,
    WEST,
    Layer,
    Shot,
    compare,
    ndvi,
    square,
    to_dn,
    write_shots,
)

OF_TRUST = ("course of the year", "NDVI differs by")


def scene(name: str = BEFORE, west: float = WEST, offset: float = OFFSET, **properties: Any) -> Shot:
    """A scene that declares what its sensor's products have."""
    is_landsat = str(properties.get("platform")).lower().startswith("landsat")
    grid = square(40, 30, west=west)
    layers = {
        band: Layer(dn=to_dn(np.full(grid.shape, value)), grid=grid)
        for band, value in (("red", 0.05), ("nir", 0.3), ("swir16", 0.1))
    }
    scale, offset = (OLI.scale, OLI.offset) if is_landsat else (SENTINEL_2.scale, offset)
    return Shot(layers=layers, name=name, properties=properties, scale=scale, offset=offset)


def older_scene(baseline: str = "02.14") -> Shot:
    """A scene from before the offset."""
    name = BEFORE.replace("N0511", f"N{baseline.replace('.', '')}")
    properties: dict[str, Any] = {"s2:processing_baseline": baseline}
    return scene(name, offset=0.0, **properties)


def warnings(directory: Path, before: Shot, after: Shot) -> tuple[str, ...]:
    """The warnings of a job whose bands and masks cause none, without two of `trust` that all pairs here have."""
    config = write_shots(directory / "scenes", before, after)
    bands, names = ["red", "nir", "swir16"], (before.name, after.name)
    said = compare(config, directory / "out", *names, bands=bands, cloud_mask=False).product.warnings
    return tuple(warning for warning in said if not any(words in warning for words in OF_TRUST))


def baseline(text: str | None) -> dict[str, Any]:
    return {"s2:processing_baseline": text}


def test_ordinary_pair_has_no_warning(tmp_path: Path) -> None:
    assert warnings(tmp_path, scene(), scene(AFTER)) == ()


def test_mixed_processing_baselines_are_a_warning(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, older_scene(), scene(AFTER))
    assert "02.14" in said
    assert "05.11" in said


def test_baseline_of_the_product_name_counts(tmp_path: Path) -> None:
    older = BEFORE.replace("N0511", "N0300")
    (said,) = warnings(tmp_path, scene(older, offset=0.0, **baseline(None)), scene(AFTER))
    assert "03.00" in said


def test_unknown_baselines_are_no_warning(tmp_path: Path) -> None:
    landsat: dict[str, Any] = {"platform": "landsat-8", "s2:processing_baseline": None, "s2:product_uri": "LC08"}
    assert warnings(tmp_path, scene(**landsat), scene(AFTER, **landsat)) == ()


def test_dates_in_the_wrong_order_are_a_warning(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, scene(AFTER), scene(BEFORE))
    assert said.index("2025-01-15") < said.index("2024-07-15")
    assert "later" in said


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ("2020-01-15T00:00:00Z", "2025-01-14T00:00:00Z", False),
        ("2020-01-13T00:00:00Z", "2025-01-15T00:00:00Z", True),
        ("2016-03-01T10:00:00.123Z", "2025-01-15T00:00:00Z", True),
    ],
)
def test_more_than_five_years_apart_are_a_warning(tmp_path: Path, first: str, second: str, warned: bool) -> None:
    said = warnings(tmp_path, scene(datetime=first), scene(AFTER, datetime=second))
    assert len(said) == warned
    assert all("five years" in sentence for sentence in said)


def test_wrong_order_and_far_apart_are_two_warnings(tmp_path: Path) -> None:
    said = warnings(tmp_path, scene(datetime="2025-01-15T00:00:00Z"), scene(AFTER, datetime="2015-01-15T00:00:00Z"))
    assert len(said) == 2


@pytest.mark.parametrize(
    "date", [None, "2025-01-15T18:56:01", "2025-01-15T18:56:01.123456789Z", "2025-01-15", "in winter"]
)
def test_missing_or_malformed_date_is_no_error(tmp_path: Path, date: str | None) -> None:
    """Items may have a start and an end instead of a datetime, and some have no time zone."""
    assert warnings(tmp_path, scene(), scene(AFTER, datetime=date)) == ()


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ("sentinel-2a", "Sentinel-2C", False),
        ("landsat-8", "LANDSAT_9", False),
        ("landsat-5", "landsat-7", False),
        ("sentinel-2b", "landsat-8", True),
        ("landsat-7", "landsat-8", True),
    ],
)
def test_different_sensors_are_a_warning(tmp_path: Path, first: str, second: str, warned: bool) -> None:
    said = warnings(tmp_path, scene(platform=first), scene(AFTER, platform=second))
    assert len(said) == warned
    assert all("sensors" in sentence for sentence in said)


@pytest.mark.parametrize(("shared", "warned"), [(40, False), (20, False), (19, True), (1, True)])
def test_small_overlap_is_a_warning(tmp_path: Path, shared: int, warned: bool) -> None:
    said = warnings(tmp_path, scene(), scene(AFTER, WEST + 10 * (40 - shared)))
    assert len(said) == warned
    assert all("overlap" in sentence for sentence in said)


def test_one_scene_has_no_warning_of_a_pair(tmp_path: Path) -> None:
    older = older_scene()
    config = write_shots(tmp_path / "scenes", older)
    assert ndvi(config, tmp_path / "out", older.name).product.warnings == ()
