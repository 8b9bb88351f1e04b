"""What a job may take: the pixels that it reads count, not those of the files that it reads them from."""

import resource
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from rasterio.windows import Window

from processing.raster.errors import SceneTooLarge
from processing.raster.grids.grid import WGS84, Grid
from processing.raster.sandbox.location import catalogue_folder
from processing.raster.types import Config
from tests.raster.support.configs import config_for
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    Shot,
    compare,
    ndvi,
    serve_shots,
    shot,
    square,
    to_dn,
    write_shots,
)
from tests.servers import RangeServer, StacServer

SIDE = 200_000
VAST = square(SIDE, SIDE, metres=5.0)
PLACE = Window(81_920, 102_400, 1024, 1024)  # the only part with data
BANDS = {"red": 0.05, "nir": 0.3}


def write_vast(path: Path, value: float, grid: Grid = VAST, **options: Any) -> None:
    """A sparse file with data in one place."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=grid.width,
        height=grid.height,
        count=1,
        dtype="uint16",
        crs=grid.crs,
        transform=grid.transform,
        **{
            "tiled": True,
            "blockxsize": 512,
            "blockysize": 512,
            "SPARSE_OK": "TRUE",
            "BIGTIFF": "YES",
            "compress": "deflate",
            **options,
        },
    ) as file:
        height, width = min(1024, grid.height), min(1024, grid.width)
        place = PLACE if grid is VAST else Window(0, 0, width, height)
        file.write(np.full((height, width), to_dn(value)), 1, window=place)


def area_of(window: Window, grid: Grid = VAST) -> list[float]:
    """The box in degrees around the window."""
    west, north = grid.transform @ (window.col_off, window.row_off)
    east, south = grid.transform @ (window.col_off + window.width, window.row_off + window.height)
    return list(rasterio.warp.transform_bounds(grid.crs, WGS84, west, south, east, north))


INSIDE = area_of(Window(PLACE.col_off + 300, PLACE.row_off + 300, 300, 200))


def small() -> Shot:
    grid = square(64, 64)
    return shot({name: np.full(grid.shape, value) for name, value in BANDS.items()}, grid)


def vast_scene(directory: Path, grid: Grid = VAST, **options: Any) -> None:
    """Give the files of the scene in `directory` the size of `grid`."""
    for name, value in BANDS.items():
        write_vast(catalogue_folder(directory) / BEFORE / f"{name}.tif", value, grid, **options)


def limited(directory: Path, max_pixels: float) -> Config:
    return config_for(sandbox=directory, max_pixels=max_pixels)


@pytest.fixture
def vast(tmp_path: Path) -> Path:
    write_shots(tmp_path / "scenes", small())
    vast_scene(tmp_path / "scenes")
    return tmp_path / "scenes"


def test_small_area_of_a_vast_raster_is_read(tmp_path: Path, vast: Path) -> None:
    begun, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = ndvi(limited(vast, 4e6), tmp_path / "out", aoi=INSIDE)
    assert 300 <= result.grid.width < 350
    assert 200 <= result.grid.height < 250
    np.testing.assert_allclose(result.pixels[~np.isnan(result.pixels)], 0.25 / 0.35, rtol=1e-3)
    assert result.statistics["valid_percent"] == 100
    assert time.monotonic() - begun < 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024 < 300


def test_small_area_of_a_vast_remote_raster_is_read(
    tmp_path: Path, stac_server: StacServer, range_server: RangeServer
) -> None:
    config = serve_shots(stac_server, range_server, small())
    for name, value in BANDS.items():
        (path,) = range_server.folder.glob(f"*/{name}.tif")
        write_vast(path, value)
    config = config_for(roots=config.catalogues.roots, private_hosts=config.network.private_hosts, max_pixels=4e6)
    result = ndvi(config, tmp_path / "out", aoi=INSIDE)
    assert result.statistics["valid_percent"] == 100


def test_all_of_a_vast_raster_is_refused_with_its_pixels(tmp_path: Path, vast: Path) -> None:
    with pytest.raises(SceneTooLarge, match=r"40,000,000,000 pixels .* up to 1,500,000,000 .* smaller aoi") as error:
        ndvi(limited(vast, 1.5e9), tmp_path / "out")
    assert error.value.details["asset"] == "red"
    assert list((tmp_path / "out").iterdir()) == []


def test_area_counts_the_whole_blocks_that_it_touches(tmp_path: Path, vast: Path) -> None:
    """300 x 200 pixels at (300, 300) lie on four blocks of 512 x 512 pixels, or on two once they leave two of them."""
    ndvi(limited(vast, 4 * 512 * 512), tmp_path / "out", aoi=INSIDE)
    with pytest.raises(SceneTooLarge):
        ndvi(limited(vast, 4 * 512 * 512 - 1), tmp_path / "out", aoi=INSIDE)


def test_wide_strips_count_whole(tmp_path: Path) -> None:
    """A column of pixels through rows that are stored as one strip each decodes all of the file."""
    scenes, grid = tmp_path / "scenes", square(30_000, 400)
    write_shots(scenes, small())
    vast_scene(scenes, grid, tiled=False, blockxsize=30_000, blockysize=1)
    area = area_of(Window(10, 0, 5, 400), grid)
    with pytest.raises(SceneTooLarge, match="12,000,000 pixels"):
        ndvi(limited(scenes, 1e6), tmp_path / "out", aoi=area)


def test_raster_that_is_warped_counts_whole(tmp_path: Path) -> None:
    """All of it is fetched, however small the area is."""
    grid = square(600, 500)
    turned = Grid(crs=grid.crs, transform=grid.transform @ Affine.rotation(3), width=600, height=500)
    scenes = tmp_path / "scenes"
    write_shots(scenes, shot({name: np.full(grid.shape, value) for name, value in BANDS.items()}, grid))
    write_vast(catalogue_folder(scenes) / BEFORE / "nir.tif", 0.3, turned)
    area = area_of(Window(100, 100, 20, 20), grid)
    ndvi(limited(scenes, 300_000), tmp_path / "out", aoi=area)
    with pytest.raises(SceneTooLarge, match="300,000 pixels") as error:
        ndvi(limited(scenes, 299_999), tmp_path / "out", aoi=area)
    assert error.value.details["asset"] == "nir"


def test_result_of_coarse_bands_on_a_fine_grid_counts_too(tmp_path: Path) -> None:
    """The grid is that of red, which is not read here."""
    fine, coarse = square(400, 400), square(40, 40, metres=100.0)
    layers = {
        **shot({"red": np.full(fine.shape, 0.05)}, fine).layers,
        **shot({"green": np.full(coarse.shape, 0.05), "nir": np.full(coarse.shape, 0.3)}, coarse).layers,
    }
    shots = Shot(layers=layers), Shot(layers=layers, name=AFTER)
    scenes = tmp_path / "scenes"
    write_shots(scenes, *shots)
    compare(limited(scenes, 160_000), tmp_path / "out", bands=["green", "nir"], cloud_mask=False)
    with pytest.raises(SceneTooLarge, match="result would have 160,000 pixels"):
        compare(limited(scenes, 159_999), tmp_path / "out", bands=["green", "nir"], cloud_mask=False)


def test_file_of_too_many_blocks_is_refused_whatever_the_area(tmp_path: Path) -> None:
    scenes, grid = tmp_path / "scenes", square(SIDE, SIDE, metres=5.0)
    write_shots(scenes, small())
    vast_scene(scenes, grid, blockxsize=64, blockysize=64)
    with pytest.raises(SceneTooLarge, match="blocks"):
        ndvi(limited(scenes, 1e12), tmp_path / "out", aoi=area_of(Window(5, 5, 30, 30), grid))


def test_offset_of_a_vast_raster_is_checked_on_its_middle(tmp_path: Path, vast: Path) -> None:
    """The pixels of an item that may be shifted already are looked at, without reading all of them."""
    flagged, scenes = {"earthsearch:boa_offset_applied": False}, tmp_path / "flagged"
    write_shots(scenes, replace(small(), properties=flagged))
    vast_scene(scenes)
    begun = time.monotonic()
    assert ndvi(limited(scenes, 4e6), tmp_path / "out", aoi=INSIDE).statistics["valid_percent"] == 100
    assert time.monotonic() - begun < 10
