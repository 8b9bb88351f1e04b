"""A new index is one file: it is listed, computed, coloured and tallied without any other change."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster import operations
from processing.raster.operations import all_operations, get_operation
from processing.raster.params import InvalidParams
from processing.raster.types import Config, Pixels, SceneId
from tests.raster.support.pairs import BEFORE, run, shot, square, write_shots

NDWI = '''\
"""Normalized Difference Water Index: (green - nir) / (green + nir).

Source: McFeeters (1996), The use of the Normalized Difference Water Index in the delineation of open water features.
"""

from ._normalized_index import NormalizedIndex


class Ndwi(NormalizedIndex):
    title = "Normalized Difference Water Index"
    description = (
        "Computes NDWI from the green and near infrared bands of one scene. Open water is above 0. The result is a "
        "single-band COG with values from -1.0 to 1.0, or, with a colormap, the same range as 8 bit palette indices."
    )
    index = "NDWI"
    pair = ("green", "nir")


OPERATION = Ndwi()
'''


@pytest.fixture
def ndwi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of the operation, whose file lies in a folder of its own."""
    folder = tmp_path / "more_operations"
    folder.mkdir()
    (folder / "ndwi.py").write_text(NDWI)
    monkeypatch.setattr(operations, "__path__", [*operations.__path__, str(folder)])
    yield "ndwi"
    sys.modules.pop(f"{operations.__name__}.ndwi", None)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A scene whose left half is water, whose right half is forest, and which has one pixel without data."""
    bands = {"green": np.full((20, 30), 0.06), "nir": np.full((20, 30), 0.02)}
    bands["nir"][:, 15:] = 0.3
    bands["green"][:, 15:] = 0.1
    bands["green"][0, 0] = np.nan
    return write_shots(tmp_path / "scenes", shot(bands, square(30, 20)))


def test_it_is_listed_between_the_others(ndwi: str) -> None:
    assert list(all_operations()) == ["change_detection", "ndvi", "ndwi"]
    assert get_operation(ndwi).title == "Normalized Difference Water Index"


def test_it_is_gone_with_its_file(ndwi: str, tmp_path: Path) -> None:
    (tmp_path / "more_operations" / "ndwi.py").unlink()
    assert ndwi not in all_operations()
    with pytest.raises(KeyError):
        get_operation(ndwi)


@pytest.mark.parametrize(
    ("green", "nir", "expected"), [(0.06, 0.02, 0.5), (0.1, 0.3, -0.5), (0.2, 0.2, 0), (0.1, 0, 1), (0, 0, np.nan)]
)
def test_it_computes_known_values(ndwi: str, green: float, nir: float, expected: float) -> None:
    operation = get_operation(ndwi)
    bands = {"green": np.full((1, 1), green, np.float32), "nir": np.full((1, 1), nir, np.float32)}
    values = operation.compute(operation.params_model(), [Pixels(reflectance=bands, valid=np.ones((1, 1), np.bool_))])
    np.testing.assert_allclose(values, [[expected]], atol=1e-6)


def test_its_result_has_values_description_and_statistics(ndwi: str, config: Config, tmp_path: Path) -> None:
    result = run(ndwi, config, tmp_path / "out", [BEFORE])
    assert np.isnan(result.numbers[0, 0])
    np.testing.assert_allclose(result.numbers[1:, :15], 0.5, atol=1e-6)
    np.testing.assert_allclose(result.numbers[:, 15:], -0.5, atol=1e-6)
    assert result.statistics["mean"] == pytest.approx((299 * 0.5 - 300 * 0.5) / 599, abs=1e-6)
    assert sum(result.statistics["histogram"]["buckets"]) == 599
    with rasterio.open(result.product.path) as file:
        assert file.descriptions == ("NDWI",)
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == result.statistics["maximum"]


@pytest.mark.parametrize("colormap", ["viridis", "greens"])
def test_it_takes_the_colormaps_of_every_index(ndwi: str, config: Config, tmp_path: Path, colormap: str) -> None:
    result = run(ndwi, config, tmp_path / "out", [BEFORE], colormap=colormap)
    assert result.numbers[0, 0] == 0
    with rasterio.open(result.product.path) as file:
        (scale,), (offset,) = file.scales, file.offsets
    np.testing.assert_allclose(result.numbers[1:, :15] * scale + offset, 0.5, atol=0.5 / 127)


def test_its_params_are_checked_like_those_of_every_index(ndwi: str) -> None:
    operation = get_operation(ndwi)
    params: Any = operation.params_model(colormap="greens", precision="compact")
    with pytest.raises(InvalidParams):
        operation.normalise(params, [SceneId(provider="sentinel-2", original_id=BEFORE)])
