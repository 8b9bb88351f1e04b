"""Statistics inside the file, by GDAL's names: those of the result and of the file's pixels."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from processing.raster.types import Config
from tests.raster.support.pairs import AFTER, Result, compare, ndvi, shot, square, write_shots
from tests.raster.support.rasters import write_tif

NAMES = {"minimum", "maximum", "mean", "stddev"}
SHAPE = (1100, 700)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Two scenes of several windows, with holes."""
    random = np.random.default_rng(4)
    dates = [{name: random.uniform(0.02, 0.6, SHAPE) for name in ("red", "nir")} for _ in range(2)]
    for date in dates:
        date["nir"][random.random(SHAPE) < 0.2] = np.nan
    before, after = (shot(date, square(*SHAPE[::-1])) for date in dates)
    return write_shots(tmp_path_factory.mktemp("scenes"), before, after.named(AFTER))


def in_the_file(result: Result) -> dict[str, str]:
    """The statistics in the tags of the file."""
    with rasterio.open(result.product.path) as file:
        assert not any("statistics" in name.lower() for name in file.tags())
        tags = {name: text for name, text in file.tags(1).items() if "statistics" in name.lower()}
    return {name.lower().removeprefix("statistics_"): text for name, text in tags.items() if name == name.upper()}


def computed_by_gdal(result: Result, folder: Path) -> dict[str, float]:
    """From the same pixels, in a file without statistics."""
    plain = write_tif(folder / "plain.tif", result.pixels, result.grid, nodata=np.nan)
    with rasterio.open(plain) as file:
        (found,) = file.stats()
    return {"minimum": found.min, "maximum": found.max, "mean": found.mean, "stddev": found.std}


def test_statistics_in_the_file_are_those_of_the_result(config: Config, tmp_path: Path) -> None:
    result = ndvi(config, tmp_path / "out")
    assert {name: float(text) for name, text in in_the_file(result).items()} == {
        name: result.statistics[name] for name in NAMES
    }


@pytest.mark.parametrize(("precision", "within"), [("full", 1e-6), ("compact", 2**-13)])
def test_gdal_computes_the_same_statistics(config: Config, tmp_path: Path, precision: str, within: float) -> None:
    result = ndvi(config, tmp_path / "out", precision=precision)
    in_tags = {name: float(text) for name, text in in_the_file(result).items()}
    assert in_tags == pytest.approx(computed_by_gdal(result, tmp_path), abs=within)


@pytest.mark.filterwarnings("ignore::rasterio.errors.RasterioDeprecationWarning")
def test_readers_use_the_statistics_in_the_file(config: Config, tmp_path: Path) -> None:
    result = ndvi(config, tmp_path / "out")
    path = result.product.path
    before = set(path.parent.iterdir())
    with rasterio.open(path) as file:
        found = file.statistics(1, approx=False)
    assert (found.min, found.max) == (result.statistics["minimum"], result.statistics["maximum"])
    assert (found.mean, found.std) == (result.statistics["mean"], result.statistics["stddev"])
    assert set(path.parent.iterdir()) == before, "GDAL computes none and writes no file of them"


def test_statistics_of_a_part_are_those_of_the_part(config: Config, tmp_path: Path) -> None:
    whole = ndvi(config, tmp_path / "whole")
    part = ndvi(config, tmp_path / "part", aoi=[-122.54, 37.73, -122.52, 37.75])
    assert part.pixels.size < whole.pixels.size
    in_tags = {name: float(text) for name, text in in_the_file(part).items()}
    assert in_tags == pytest.approx(computed_by_gdal(part, tmp_path), abs=1e-6)
    assert in_tags["mean"] != float(in_the_file(whole)["mean"])


def test_indices_of_a_colormap_have_no_statistics_of_ndvi(config: Config, tmp_path: Path) -> None:
    result = ndvi(config, tmp_path / "out", colormap="viridis")
    assert in_the_file(result) == {}
    assert result.statistics.keys() >= NAMES


def test_classes_have_no_statistics(config: Config, tmp_path: Path) -> None:
    assert in_the_file(compare(config, tmp_path / "out")) == {}
