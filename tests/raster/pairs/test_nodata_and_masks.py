"""Nodata, saturated pixels and masks never blend into data, on whatever grid a scene is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio.warp

from processing.raster.grids.grid import Grid
from tests.raster.pairs.pair_reading import BANDS, random_bands, read_both, read_windows, turned
from tests.raster.support.pairs import AFTER, NORTH, WEST, Dn, Layer, Shot, shot, square, write_shots

OTHER_GRIDS = {
    "half a pixel": square(90, 80, west=WEST + 5, north=NORTH - 5),
    "a tenth of a pixel": square(90, 80, west=WEST + 1, north=NORTH - 1),
    "30 m": square(30, 26, 30),
    "13 m": square(69, 61, 13),
    "turned": turned(15, 60, 60, 10),
    "zone 11": square(130, 130, epsg=32611, west=11_600, north=4_194_500),
}


def chequered(grid: Grid, low: int, high: int, seed: int, side: int = 3) -> Dn:
    """Every other square of `side` x `side` pixels is nodata, the rest are extreme DN."""
    rows, columns = np.indices(grid.shape) // side
    dn = np.random.default_rng(seed).choice([low, high], grid.shape)
    return np.where((rows + columns) % 2 == 0, 0, dn).astype(np.uint16)


def whole_and_holed(other: Grid, fine: Grid, dn: Dn) -> tuple[Shot, Shot]:
    """A scene of one DN on `other`, and one of `dn` on `fine`."""
    whole = Shot(layers={band: Layer(dn=np.full(other.shape, 3000, np.uint16), grid=other) for band in BANDS})
    holed = Shot(layers={band: Layer(dn=dn, grid=fine) for band in BANDS}, name=AFTER)
    return whole, holed


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_nodata_never_bleeds_into_data(tmp_path: Path, name: str) -> None:
    fine, other = square(90, 80), OTHER_GRIDS[name]
    config = write_shots(tmp_path / "scenes", *whole_and_holed(other, fine, chequered(fine, 11_000, 60_000, 3)))
    _, (_, pixels) = read_both(config)
    got = pixels.reflectance["red"][pixels.valid]
    assert 0.2 < pixels.valid.mean() <= 1
    assert got.min() >= np.float32(1.0) - 1e-6
    assert got.max() <= np.float32(5.9) + 1e-6


@pytest.mark.parametrize("name", ["half a pixel", "30 m", "turned"])
def test_saturated_pixels_never_bleed_into_data(tmp_path: Path, name: str) -> None:
    fine, other = square(90, 80), OTHER_GRIDS[name]
    dn = chequered(fine, 2000, 3000, 3, side=9)
    dn[dn == 0] = 65535
    _, (_, pixels) = read_both(write_shots(tmp_path / "scenes", *whole_and_holed(other, fine, dn)))
    got = pixels.reflectance["red"][pixels.valid]
    assert got.max() <= np.float32(0.2) + 1e-6


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_masks_are_never_blended(tmp_path: Path, name: str) -> None:
    """Between cloud (9) and nodata (0) lie classes that would be clear: 4, 5, 6."""
    fine, other = square(90, 80), OTHER_GRIDS[name]
    rows, columns = np.indices(fine.shape)
    scl = np.where((rows + columns) % 2 == 0, 9, 0).astype(np.uint8)
    before = shot(random_bands(other, 1), other)
    after = shot(random_bands(fine, 2), fine, scl=scl, name=AFTER)
    _, (_, window) = read_windows(write_shots(tmp_path / "scenes", before, after), mask=True)
    everywhere = np.ones(window.dn["red"].shape, np.bool_)
    assert not window.clear(slice(None), window.valid(slice(None), everywhere)).any()


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_mask_of_20_m_hides_the_pixels_whose_centres_it_covers(tmp_path: Path, name: str) -> None:
    fine, coarse, other = square(90, 80), square(45, 40, 20), OTHER_GRIDS[name]
    scl = np.random.default_rng(4).choice(np.array([4, 9], np.uint8), coarse.shape)
    after = shot(random_bands(fine, 2), fine, name=AFTER)
    after = replace(after, layers={**after.layers, "scl": Layer(dn=scl, grid=coarse)})
    config = write_shots(tmp_path / "scenes", shot(random_bands(other, 1), other), after)
    grid, (_, window) = read_windows(config, mask=True)
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    xs, ys = rasterio.warp.transform(grid.crs, coarse.crs, *(grid.transform @ (columns.ravel(), rows.ravel())))
    places = np.stack(~coarse.transform @ (np.array(xs), np.array(ys)))
    sure = (np.abs(places - np.rint(places)).min(axis=0) > 0.02).reshape(grid.shape)
    column, row = np.floor(places).astype(int)
    sure &= ((column >= 0) & (column < 45) & (row >= 0) & (row < 40)).reshape(grid.shape)
    expected = scl[row.clip(0, 39), column.clip(0, 44)].reshape(grid.shape) == 4
    assert sure.sum() > 300
    clear = window.clear(slice(None), np.ones(grid.shape, np.bool_))
    np.testing.assert_array_equal(clear[sure], expected[sure])
