"""What a result says about how it was made, in the answer and in the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from tests.raster.support.pairs import AFTER, Result, compare, shot, square, write_shots


@pytest.fixture
def mixed_baselines(tmp_path: Path) -> Result:
    """Changes between a scene of baseline 05.10 and one of baseline 05.09."""
    bands = {"red": np.full((30, 40), 0.05), "nir": np.full((30, 40), 0.3)}
    older: dict[str, Any] = {"s2:processing_baseline": "05.10"}
    newer: dict[str, Any] = {"s2:processing_baseline": "05.09"}
    before, after = shot(bands, square(40, 30), **older), shot(bands, square(40, 30), name=AFTER, **newer)
    return compare(write_shots(tmp_path / "scenes", before, after), tmp_path / "out", cloud_mask=False)


def test_provenance_has_the_baseline_as_the_catalogue_writes_it(mixed_baselines: Result) -> None:
    scenes = mixed_baselines.product.provenance["scenes"]
    assert [scene["processing_baseline"] for scene in scenes] == ["05.10", "05.09"]


def test_tags_have_the_baseline_as_the_catalogue_writes_it(mixed_baselines: Result) -> None:
    with rasterio.open(mixed_baselines.product.path) as file:
        scenes = json.loads(file.tags()["ASTRA_PROVENANCE"])
    assert scenes == mixed_baselines.product.provenance["scenes"]


def test_warning_has_the_baselines_as_the_catalogue_writes_them(mixed_baselines: Result) -> None:
    assert any("05.10 and 05.09" in warning for warning in mixed_baselines.product.warnings)
