"""Pairs of scenes behind a server of byte ranges: the same map as from the disk, for all grids and layouts of files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from processing.raster.grids.grid import Grid
from tests.raster.support.pairs import (
    AFTER,
    NORTH,
    WEST,
    Dn,
    Layer,
    Shot,
    compare,
    lonlat,
    serve_shots,
    square,
    write_shots,
)
from tests.servers import RangeServer, StacServer

HERE = square(1400, 1300)
# Of which an area of interest needs a small part.
GRIDS = {
    "shifted": square(1400, 1300, west=WEST + 330, north=NORTH - 170),
    "beside": square(1400, 1300, west=WEST + 333, north=NORTH - 174),
    "coarser": square(700, 650, metres=20.0),
    "another zone": square(2600, 2600, epsg=32611, west=5_000.0, north=NORTH + 17_000),
}
TILES: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64}
FILES: dict[str, dict[str, Any]] = {
    "deflated": {**TILES, "compress": "deflate"},
    "not compressed": TILES,
    "strips": {"tiled": False, "blockysize": 1, "blockxsize": None, "compress": "lzw"},
}


def noise(on: Grid, seed: int) -> Dn:
    return np.random.default_rng(seed).integers(1001, 9000, on.shape).astype(np.uint16)


def shots(other: Grid) -> tuple[Shot, Shot]:
    first, second = (
        {band: Layer(dn=noise(on, seed + index), grid=on) for index, band in enumerate(("red", "nir"))}
        for on, seed in ((HERE, 1), (other, 3))
    )
    return Shot(layers=first), Shot(layers=second, name=AFTER)


def box(rows: slice, columns: slice) -> list[float]:
    lons, lats = lonlat(HERE)
    part = lons[rows, columns], lats[rows, columns]
    return [float(part[0].min()), float(part[1].min()), float(part[0].max()), float(part[1].max())]


@pytest.mark.parametrize("aoi", [None, box(slice(300, 700), slice(100, 420)), box(slice(900, 912), slice(1000, 1012))])
@pytest.mark.parametrize("files", FILES)
@pytest.mark.parametrize("name", GRIDS)
def test_map_of_remote_files_is_that_of_files_on_the_disk(
    stac_server: StacServer, range_server: RangeServer, tmp_path: Path, name: str, files: str, aoi: list[float] | None
) -> None:
    """The warper reads beyond a window. A part that was not fetched would be read as zeros."""
    pair = shots(GRIDS[name])
    area: dict[str, Any] = {} if aoi is None else {"aoi": aoi}
    near = compare(write_shots(tmp_path / "near", *pair), tmp_path / "from-disk", **area)
    far = compare(serve_shots(stac_server, range_server, *pair, **FILES[files]), tmp_path / "from-host", **area)
    np.testing.assert_array_equal(far.pixels, near.pixels)
    assert far.statistics == near.statistics
    assert len(set(near.pixels_by_class)) > 1
    assert not list((tmp_path / "from-host").glob("*.part"))


@pytest.mark.parametrize("files", ["deflated", "not compressed"])
@pytest.mark.parametrize("more", ["a band", "an alpha band", "a mask"])
def test_other_bands_and_masks_of_a_file_are_there_for_the_warper(
    stac_server: StacServer, range_server: RangeServer, tmp_path: Path, files: str, more: str
) -> None:
    pair = shots(GRIDS["another zone"])
    configs = (
        write_shots(tmp_path / "near", *pair),
        serve_shots(stac_server, range_server, *pair),
    )
    for folder in (tmp_path / "near", range_server.folder):
        for path in folder.rglob("*.tif"):
            add(path, more, FILES[files])
    near, far = (compare(config, tmp_path / f"{index}") for index, config in enumerate(configs))
    np.testing.assert_array_equal(far.pixels, near.pixels)


def add(path: Path, more: str, options: dict[str, Any]) -> None:
    with rasterio.open(path) as file:
        dn, profile = file.read(1), {**file.profile, **options, "interleave": "band"}
    half = np.where(np.arange(dn.shape[0])[:, np.newaxis] < 650, dn, 0).astype(np.uint16)
    count = 1 if more == "a mask" else 2
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **{**profile, "count": count}) as file:
        file.write(dn, 1)
        if more == "a mask":
            file.write_mask(half > 0)
        else:
            file.write(half, 2)
        if more == "an alpha band":
            file.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
