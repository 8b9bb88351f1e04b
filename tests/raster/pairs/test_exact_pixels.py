"""Change detection of scenes whose pixels on the result's grid are known exactly."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from processing.raster.grids.grid import Grid
from tests.raster.pairs.pair_reading import BANDS, random_bands, read_both
from tests.raster.support.pairs import (
    AFTER,
    NORTH,
    WEST,
    Layer,
    Shot,
    classes_of,
    compare,
    shot,
    square,
    to_dn,
    to_reflectance,
    write_shots,
)


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (7, 13), (-20, 5), (55, 30), (-3, -40)])
def test_grids_shifted_by_whole_pixels_are_read_exactly(tmp_path: Path, columns: int, rows: int) -> None:
    first, second = square(60, 45), square(60, 45, west=WEST + 10 * columns, north=NORTH - 10 * rows)
    before, after = random_bands(first, 1), random_bands(second, 2)
    config = write_shots(tmp_path / "scenes", shot(before, first), shot(after, second, name=AFTER))
    left, right, top, bottom = max(0, columns), min(60, columns + 60), max(0, rows), min(45, rows + 45)
    grid, pixels = read_both(config)
    assert grid == first.cut(Window(left, top, right - left, bottom - top))
    here = {band: values[top:bottom, left:right] for band, values in before.items()}
    there = {
        band: values[top - rows : bottom - rows, left - columns : right - columns] for band, values in after.items()
    }
    for band in BANDS:
        np.testing.assert_array_equal(pixels[0].reflectance[band], here[band].astype(np.float32))
        np.testing.assert_array_equal(pixels[1].reflectance[band], there[band].astype(np.float32))
    result = compare(config, tmp_path / "out")
    assert result.grid == grid
    np.testing.assert_array_equal(result.pixels, classes_of(here, there))
    assert result.statistics["overlap_percent"] == pytest.approx(100 * grid.width * grid.height / (60 * 45))


def test_result_of_scenes_of_other_sizes_is_their_intersection(tmp_path: Path) -> None:
    large, small = square(80, 70), square(20, 30, west=WEST + 300, north=NORTH - 100)
    config = write_shots(
        tmp_path / "scenes", shot(random_bands(large, 1), large), shot(random_bands(small, 2), small, name=AFTER)
    )
    result = compare(config, tmp_path / "out")
    assert result.grid == small
    assert result.statistics["overlap_percent"] == pytest.approx(100)


@pytest.mark.parametrize(("first", "second"), [(179.9, -180.1), (-180.1, 179.9)])
def test_degrees_of_both_sides_of_the_antimeridian_are_compared_exactly(
    tmp_path: Path, first: float, second: float
) -> None:
    def degrees(west: float) -> Grid:
        return Grid(crs=CRS.from_epsg(4326), transform=Affine(0.001, 0, west, 0, -0.001, 1), width=200, height=90)

    before, after = random_bands(degrees(first), 1), random_bands(degrees(second), 2)
    config = write_shots(tmp_path / "scenes", shot(before, degrees(first)), shot(after, degrees(second), name=AFTER))
    result = compare(config, tmp_path / "out")
    assert result.grid == degrees(first)
    np.testing.assert_array_equal(result.pixels, classes_of(before, after))


def test_finer_scene_is_averaged_over_all_pixels(tmp_path: Path) -> None:
    coarse, fine = square(20, 15, 30), square(60, 45, 10)
    before, after = random_bands(coarse, 1), random_bands(fine, 2)
    config = write_shots(tmp_path / "scenes", shot(before, coarse), shot(after, fine, name=AFTER))
    grid, (_, pixels) = read_both(config)
    assert grid == coarse
    for band in BANDS:
        means = after[band].reshape(15, 3, 20, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(pixels.reflectance[band], means, atol=1e-6)


def test_coarser_band_of_a_scene_comes_to_its_grid(tmp_path: Path) -> None:
    """Centres of 10 m lie a quarter of a pixel before and behind those of 20 m swir16."""
    fine, coarse = square(80, 60), square(40, 30, 20)
    ramp = 0.1 + 0.01 * np.tile(np.arange(40.0), (30, 1))
    layers = dict(shot(random_bands(fine, 1), fine).layers)
    layers["swir16"] = Layer(dn=to_dn(ramp), grid=coarse)
    scene = Shot(layers=layers)
    config = write_shots(tmp_path / "scenes", scene, scene.named(AFTER))
    grid, (pixels, _) = read_both(config, ("red", "swir16"))
    assert grid == fine
    expected = np.tile(0.1 + 0.01 * (np.arange(80) / 2 - 0.25), (60, 1))
    np.testing.assert_allclose(pixels.reflectance["swir16"][:, 1:-1], expected[:, 1:-1], atol=2e-6)
    np.testing.assert_array_equal(pixels.reflectance["red"], to_reflectance(layers["red"].dn).astype(np.float32))


def test_red_band_decides_the_resolution_even_if_it_is_not_asked_for(tmp_path: Path) -> None:
    fine, coarse = square(80, 60), square(40, 30, 20)
    red = {band: Layer(dn=to_dn(values), grid=fine) for band, values in random_bands(fine, 1, ("red",)).items()}
    infrared = random_bands(coarse, 2, ("nir08", "swir16"))
    layers = {**red, **{band: Layer(dn=to_dn(values), grid=coarse) for band, values in infrared.items()}}
    scene = Shot(layers=layers)
    config = write_shots(tmp_path / "scenes", scene, scene.named(AFTER))
    assert compare(config, tmp_path / "out", bands=["nir08", "swir16"]).grid == fine
