"""Masks grow on their own grid, by metres, and the same whatever the windows, the blocks and the grid of the result."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from processing.raster.gdal import gdal_environment
from processing.raster.grids import Grid, lay_over
from processing.raster.reading import SceneReader, open_scene
from processing.raster.types import Config, PixelArray
from tests.raster.support.pairs import AFTER, NORTH, WEST, Codes, Layer, Shot, compare, ndvi, square, write_shots
from tests.raster.support.rasters import random_dn
from tests.raster.support.scenes import found, open_rasters

FINE = square(640, 600)
GRIDS = {
    "same": FINE,
    "part": square(300, 280, west=WEST + 1000, north=NORTH - 500),
    "coarser": square(200, 150, metres=30.0),
    "another zone": square(500, 500, epsg=32611, west=10_000.0, north=4_190_000.0),
}
CLEAR, CLOUD = 4, 9


def scattered_clouds(rows: int, columns: int) -> Codes:
    random = np.random.default_rng(8)
    return np.where(random.random((rows, columns)) < 0.001, CLOUD, CLEAR).astype(np.uint8)


def grown(scl: Codes, reach: int) -> Codes:
    """The same with larger clouds, drawn one by one."""
    result = scl.copy()
    for row, column in np.argwhere(scl == CLOUD):
        result[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = CLOUD
    return result


def scene(scl: Codes, metres: float = 20.0) -> Shot:
    bands = {
        name: Layer(dn=random_dn(*FINE.shape, holes=0, seed=seed), grid=FINE) for name, seed in (("red", 1), ("nir", 2))
    }
    return Shot(layers={**bands, "scl": Layer(dn=scl, grid=square(scl.shape[1], scl.shape[0], metres))})


def clear(config: Config, target: Grid, dilation: float, window_side: int) -> Sequence[PixelArray]:
    """Where the scene is clear on the grid of `target`, read in windows and put together."""
    with gdal_environment(), open_rasters(config) as rasters:
        opened = open_scene(found(config), ("red", "nir"), rasters, with_mask=True)
        overlay = lay_over([target, opened.grid])
        reader = SceneReader.open(opened, overlay, 1, rasters, dilation)
        whole = np.empty(overlay.grid.shape, np.uint8)
        for window in overlay.grid.windows(window_side):
            clarity = reader.read(window).clarity
            assert clarity is not None
            whole[window.toslices()] = clarity
        return whole, whole > 0


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("dilation", "reach"), [(60.0, 3), (50.0, 3), (0.0, 0), (1000.0, 50)])
def test_a_mask_grows_before_it_comes_to_the_grid_of_the_result(
    tmp_path: Path, name: str, dilation: float, reach: int
) -> None:
    scl = scattered_clouds(300, 320)
    config = write_shots(tmp_path / "small", scene(scl))
    drawn = write_shots(tmp_path / "grown", scene(grown(scl, reach)))
    _, got = clear(config, GRIDS[name], dilation, 1000)
    _, expected = clear(drawn, GRIDS[name], 0.0, 1000)
    np.testing.assert_array_equal(got, expected)
    assert reach == 50 or 0.3 < got.mean() < 1


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("side", [64, 100, 257])
def test_windows_do_not_change_what_a_mask_says(tmp_path: Path, name: str, side: int) -> None:
    config = write_shots(tmp_path / "scenes", scene(scattered_clouds(300, 320)))
    at_once, _ = clear(config, GRIDS[name], 60.0, 1000)
    in_windows, _ = clear(config, GRIDS[name], 60.0, side)
    np.testing.assert_array_equal(in_windows, at_once)
    assert set(np.unique(at_once)) == {0, 1, 2}


@pytest.mark.parametrize(("metres", "reach"), [(10.0, 6), (20.0, 3), (120.0, 1)])
def test_metres_are_rounded_up_to_whole_pixels_of_the_mask(tmp_path: Path, metres: float, reach: int) -> None:
    scl = np.full((int(6000 // metres), int(6400 // metres) + 1), CLEAR, np.uint8)
    scl[25, 30] = CLOUD
    result = ndvi(
        write_shots(tmp_path / "scenes", scene(scl, metres)), tmp_path / "out", cloud_mask=True, mask_dilation=60
    )
    hidden = np.isnan(result.pixels).sum() * 100 / metres**2
    assert hidden == (2 * reach + 1) ** 2


def test_masks_of_both_dates_grow(tmp_path: Path) -> None:
    before, after = np.full((300, 320), CLEAR, np.uint8), np.full((300, 320), CLEAR, np.uint8)
    before[50, 60] = after[200, 210] = CLOUD
    config = write_shots(tmp_path / "scenes", scene(before), scene(after).named(AFTER))
    result = compare(config, tmp_path / "out", mask_dilation=60)
    expected = (grown(before, 3) == CLOUD) | (grown(after, 3) == CLOUD)
    np.testing.assert_array_equal(result.pixels == 255, expected.repeat(2, axis=0).repeat(2, axis=1))


def test_share_of_change_near_the_mask(tmp_path: Path) -> None:
    """The right half changes from bare ground to crops, and a cloud lies across the edge to it."""
    red = np.full(FINE.shape, 2000, np.uint16)
    nir_before, nir_after = np.full(FINE.shape, 3000, np.uint16), np.full(FINE.shape, 3000, np.uint16)
    nir_after[:, 320:] = 6000
    scl = np.full((300, 320), CLEAR, np.uint8)
    scl[100:110, 150:170] = CLOUD
    layers = [{"red": Layer(dn=red, grid=FINE), "nir": Layer(dn=nir, grid=FINE)} for nir in (nir_before, nir_after)]
    masked = {**layers[0], "scl": Layer(dn=scl, grid=square(320, 300, 20.0))}
    config = write_shots(tmp_path / "scenes", Shot(layers=masked), Shot(layers=layers[1], name=AFTER))
    quality = compare(config, tmp_path / "out", mask_dilation=60).product.quality
    hidden, near = (10 + 6) * (20 + 6), (10 + 16) * (20 + 16)  # the cloud after it has grown, and with what is near it
    assert quality["near_mask_percent"] == pytest.approx(100 * (near - hidden) / (300 * 320 - hidden))
    assert quality["change_near_mask_percent"] == pytest.approx(100 * (near - hidden) / (300 * 320 - hidden))
    unmasked = compare(config, tmp_path / "unmasked", cloud_mask=False).product.quality
    assert (unmasked["near_mask_percent"], unmasked["change_near_mask_percent"]) == (None, None)


def test_the_file_made_of_a_warped_mask_is_removed(tmp_path: Path) -> None:
    config = write_shots(tmp_path / "scenes", scene(scattered_clouds(300, 320)))
    with gdal_environment(), open_rasters(config) as rasters:
        opened = open_scene(found(config), ("red", "nir"), rasters, with_mask=True)
        folder = rasters.new_file().parent
        overlay = lay_over([GRIDS["another zone"], opened.grid])
        SceneReader.open(opened, overlay, 1, rasters, 60.0).read(Window(0, 0, 64, 64))
        assert len(list(folder.iterdir())) == 2
        rasters.close()
        assert list(folder.iterdir()) == []
