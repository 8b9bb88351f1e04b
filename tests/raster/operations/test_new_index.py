"""A new index is one file: it is listed, computed, coloured and tallied without any other change.

The file is the worked example of CONTRIBUTING.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from processing.raster.operations import all_operations, get_operation
from processing.raster.params import InvalidParams
from processing.raster.types import Config, Pixels, SceneId
from tests.raster.support.pairs import BEFORE, run, shot, square, write_shots
from tests.worked_example import in_place


@pytest.fixture
def ndwi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """File of the operation `ndwi`."""
    with in_place(tmp_path_factory.mktemp("operations")) as path:
        yield path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A scene whose left half is water, whose right half is forest, and which has one pixel without data."""
    bands = {"green": np.full((20, 30), 0.06), "nir": np.full((20, 30), 0.02)}
    bands["nir"][:, 15:] = 0.3
    bands["green"][:, 15:] = 0.1
    bands["green"][0, 0] = np.nan
    return write_shots(tmp_path / "scenes", shot(bands, square(30, 20)))


def test_it_is_listed_between_the_others(ndwi: Path) -> None:
    assert list(all_operations()) == ["change_detection", "ndvi", "ndwi"]
    assert get_operation("ndwi").title == "Normalized Difference Water Index"


def test_it_is_gone_with_its_file(ndwi: Path) -> None:
    ndwi.unlink()
    assert "ndwi" not in all_operations()
    with pytest.raises(KeyError):
        get_operation("ndwi")


@pytest.mark.parametrize(
    ("green", "nir", "expected"), [(0.06, 0.02, 0.5), (0.1, 0.3, -0.5), (0.2, 0.2, 0), (0.1, 0, 1), (0, 0, np.nan)]
)
def test_it_computes_known_values(ndwi: Path, green: float, nir: float, expected: float) -> None:
    operation = get_operation("ndwi")
    bands = {"green": np.full((1, 1), green, np.float32), "nir": np.full((1, 1), nir, np.float32)}
    values = operation.compute(operation.params_model(), [Pixels(reflectance=bands, valid=np.ones((1, 1), np.bool_))])
    np.testing.assert_allclose(values, [[expected]], atol=1e-6)


def test_its_result_has_values_description_and_statistics(ndwi: Path, config: Config, tmp_path: Path) -> None:
    result = run("ndwi", config, tmp_path / "out", [BEFORE])
    assert np.isnan(result.pixels[0, 0])
    np.testing.assert_allclose(result.pixels[1:, :15], 0.5, atol=1e-6)
    np.testing.assert_allclose(result.pixels[:, 15:], -0.5, atol=1e-6)
    assert result.statistics["mean"] == pytest.approx((299 * 0.5 - 300 * 0.5) / 599, abs=1e-6)
    assert sum(result.statistics["histogram"]["buckets"]) == 599
    with rasterio.open(result.product.path) as file:
        assert file.descriptions == ("NDWI",)
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == result.statistics["maximum"]


@pytest.mark.parametrize("colormap", ["viridis", "greens"])
def test_it_takes_the_colormaps_of_every_index(ndwi: Path, config: Config, tmp_path: Path, colormap: str) -> None:
    result = run("ndwi", config, tmp_path / "out", [BEFORE], colormap=colormap)
    assert result.pixels[0, 0] == 0
    with rasterio.open(result.product.path) as file:
        (scale,), (offset,) = file.scales, file.offsets
    np.testing.assert_allclose(result.pixels[1:, :15] * scale + offset, 0.5, atol=0.5 / 127)


def test_its_params_are_checked_like_those_of_every_index(ndwi: Path) -> None:
    operation = get_operation("ndwi")
    params: Any = operation.params_model(colormap="greens", precision="compact")
    with pytest.raises(InvalidParams):
        operation.normalise(params, [SceneId(provider="sentinel-2", original_id=BEFORE)])
