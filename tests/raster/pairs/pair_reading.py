"""Two scenes of random bands on grids of any kind, and what is read of both."""

from dataclasses import replace

import numpy as np
from affine import Affine
from rasterio.windows import Window

from processing.raster.gdal import gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.grids.overlay import lay_over
from processing.raster.reading import SceneReader, open_scene
from processing.raster.reading.scene_reader import SceneWindow
from processing.raster.types import Config, Pixels
from tests.raster.support.pairs import AFTER, BEFORE, NORTH, WEST, Dense, square, to_reflectance
from tests.raster.support.scenes import found, open_rasters

BANDS = ("red", "nir")


def random_bands(grid: Grid, seed: int, bands: tuple[str, ...] = BANDS) -> dict[str, Dense]:
    random = np.random.default_rng(seed)
    return {band: to_reflectance(random.integers(1001, 7000, grid.shape)) for band in bands}


def turned(degrees: float, width: int, height: int, metres: float) -> Grid:
    transform = Affine.translation(WEST, NORTH) @ Affine.rotation(degrees) @ Affine.scale(metres, -metres)
    return replace(square(width, height), transform=transform)


def read_windows(
    config: Config, bands: tuple[str, ...] = BANDS, *, mask: bool = False
) -> tuple[Grid, list[SceneWindow]]:
    """The grid of the result, and DN of both scenes on it, in one window."""
    with gdal_environment(), open_rasters(config) as rasters:
        scenes = [open_scene(found(config, name), bands, rasters, with_mask=mask) for name in (BEFORE, AFTER)]
        overlay = lay_over([opened.grid for opened in scenes])
        window = Window(0, 0, overlay.grid.width, overlay.grid.height)
        readers = [SceneReader.open(opened, overlay, index, rasters) for index, opened in enumerate(scenes)]
        return overlay.grid, [reader.read(window) for reader in readers]


def read_both(config: Config, bands: tuple[str, ...] = BANDS) -> tuple[Grid, list[Pixels]]:
    """The grid of the result, and what an operation gets of both scenes if nothing is masked."""
    grid, windows = read_windows(config, bands)
    everything, inside = slice(None), np.ones(grid.shape, np.bool_)
    return grid, [
        Pixels(reflectance=read.reflectance(everything), valid=read.valid(everything, inside)) for read in windows
    ]
