"""The result for an area is the whole result cut to it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import rasterio.warp
from affine import Affine

from processing.raster.cog import is_cog
from processing.raster.cog.levels import BLOCK
from processing.raster.cog.pyramid import WINDOW
from processing.raster.grids.grid import Grid
from processing.raster.types import Config
from tests.raster.aoi.areas import areas, assert_bounding_window, assert_is_cut_from, degrees, polygon, star
from tests.raster.support.configs import config_for
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    WEST,
    Layer,
    Result,
    Shot,
    compare,
    ndvi,
    square,
    to_dn,
    write_shots,
)


@dataclass(frozen=True)
class Whole:
    """The sandbox's scenes, and the results for all of them."""

    config: Config
    change: Result
    ndvi: Result

    @property
    def grid(self) -> Grid:
        return self.change.grid


SWIR = ["red", "nir", "swir16"]


@pytest.fixture(scope="module")
def whole(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    config, out = config_for(sandbox=sandbox), tmp_path_factory.mktemp("whole")
    change = compare(config, out / "change", bands=SWIR)
    assert min(change.grid.shape) > WINDOW > BLOCK
    return Whole(config, change, ndvi(config, out / "ndvi", cloud_mask=True))


NAMES = list(areas(square(10, 10)))


@pytest.mark.parametrize("name", NAMES)
def test_change_in_an_area_is_the_whole_change_cut_to_it(tmp_path: Path, whole: Whole, name: str) -> None:
    area = areas(whole.grid)[name]
    result = compare(whole.config, tmp_path, bands=SWIR, aoi=area)
    assert_bounding_window(result.grid, whole.grid, area)
    inside, unsure = assert_is_cut_from(result, whole.change, area)
    counts = [int((result.pixels == code).sum()) for code in range(5)]
    assert result.pixels_by_class == counts
    assert [row["hectares"] for row in result.statistics["classes"]] == pytest.approx(
        [n / 100 for n in counts], rel=2e-3
    )
    assert result.statistics["valid_percent"] == pytest.approx(100 * sum(counts) / inside, rel=1e-9 + unsure / inside)
    assert result.product.shape == result.pixels.shape
    assert is_cog(result.product.path)


@pytest.mark.parametrize("name", NAMES)
def test_ndvi_in_an_area_is_the_whole_ndvi_cut_to_it(tmp_path: Path, whole: Whole, name: str) -> None:
    area = areas(whole.grid)[name]
    result = ndvi(whole.config, tmp_path, cloud_mask=True, aoi=area)
    assert_bounding_window(result.grid, whole.grid, area)
    inside, unsure = assert_is_cut_from(result, whole.ndvi, area)
    values = result.pixels[~np.isnan(result.pixels)].astype(np.float64)
    statistics = result.statistics
    assert statistics["mean"] == pytest.approx(values.mean(), abs=1e-6)
    assert (statistics["minimum"], statistics["maximum"]) == (values.min(), values.max())
    assert sum(statistics["histogram"]["buckets"]) == values.size
    assert statistics["valid_percent"] == pytest.approx(100 * values.size / inside, rel=1e-9 + unsure / inside)


def test_masked_share_is_that_of_the_area(tmp_path: Path) -> None:
    grid = square(100, 80)
    scl = np.full(grid.shape, 4, np.uint8)
    scl[:, 60:] = 9
    scl[:20] = 9
    layers = {band: Layer(dn=np.full(grid.shape, 3000, np.uint16), grid=grid) for band in ("red", "nir")}
    config = write_shots(tmp_path / "scenes", Shot(layers={**layers, "scl": Layer(dn=scl, grid=grid)}))
    area = polygon(degrees(grid, [(50, 30), (70, 30), (70, 70), (50, 70)]))
    result = ndvi(config, tmp_path / "out", cloud_mask=True, aoi=area)
    assert result.statistics["masked_percent"] == pytest.approx(50)
    assert result.statistics["valid_percent"] == pytest.approx(50)


@pytest.mark.parametrize("colormap", [None, "greens"])
def test_overviews_show_the_area_alone(tmp_path: Path, whole: Whole, colormap: str | None) -> None:
    result = ndvi(whole.config, tmp_path, aoi=polygon(star(whole.grid, 1000, 1000, 400)), colormap=colormap)
    with rasterio.open(result.product.path, overview_level=0) as file:
        overview = file.read(1, masked=True)
    # The corners of the window lie outside of the star.
    assert overview.mask[:20, :20].all()
    assert not overview.mask[overview.shape[0] // 2 - 5 : overview.shape[0] // 2 + 5].all()


# Scenes on other grids than each other.


def random_shot(grid: Grid, seed: int, name: str = BEFORE) -> Shot:
    random = np.random.default_rng(seed)
    layers = {
        band: Layer(dn=to_dn(random.uniform(low, high, grid.shape)), grid=grid)
        for band, low, high in (("red", 0.02, 0.2), ("nir", 0.05, 0.5))
    }
    coarse = replace(grid, width=grid.width // 2, height=grid.height // 2, transform=grid.transform @ Affine.scale(2))
    layers["swir16"] = Layer(dn=to_dn(random.uniform(0.05, 0.4, coarse.shape)), grid=coarse)
    scl = random.choice(np.array([4, 4, 4, 5, 9], np.uint8), coarse.shape)
    return Shot(layers={**layers, "scl": Layer(dn=scl, grid=coarse)}, name=name)


@pytest.mark.parametrize(
    "other",
    [
        square(1300, 1200, west=WEST + 70),
        square(1300, 1200, west=WEST + 65),
        square(440, 400, 30, west=WEST + 10),
        square(1500, 1500, epsg=32611, west=11_000, north=4_197_000),
        replace(
            square(1300, 1200),
            transform=Affine.translation(WEST, 4_181_000) @ Affine.rotation(-15) @ Affine.scale(10, -10),
        ),
    ],
    ids=["shifted", "half a pixel", "30 m", "another zone", "turned"],
)
def test_area_of_scenes_on_different_grids(tmp_path: Path, other: Grid) -> None:
    """Resampling makes the same of a part as of the whole."""
    config = write_shots(tmp_path / "scenes", random_shot(square(1300, 1200), 1), random_shot(other, 2, AFTER))
    full = compare(config, tmp_path / "full", bands=SWIR)
    middle = (full.grid.width / 2, full.grid.height / 2)
    area = polygon(star(full.grid, *middle, full.grid.height / 6))
    result = compare(config, tmp_path / "part", bands=SWIR, aoi=area)
    assert_bounding_window(result.grid, full.grid, area)
    assert_is_cut_from(result, full, area)
    assert result.statistics["overlap_percent"] == pytest.approx(full.statistics["overlap_percent"])
