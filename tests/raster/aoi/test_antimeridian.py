"""Areas over the antimeridian."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine

from processing.raster.grids.grid import Grid
from tests.raster.aoi.areas import PAIR, WGS84, flat, multi
from tests.raster.support.pairs import (
    Shot,
    lonlat,
    ndvi,
    square,
    write_shots,
)


def at_the_antimeridian(epsg: int) -> Grid:
    """Some kilometres on either side of 180 degrees, just south of the equator."""
    if epsg == 4326:
        return Grid(crs=WGS84, transform=Affine(0.0005, 0, 179.95, 0, -0.0005, -0.5), width=200, height=120)
    return square(300, 200, 30, epsg=epsg, west=162_000 if epsg == 32701 else 829_000, north=9_945_000)


EITHER_SIDE = [
    [[[179.96, -0.54], [180.0, -0.54], [180.0, -0.51], [179.97, -0.51], [179.96, -0.54]]],
    [[[-180.0, -0.54], [-179.97, -0.54], [-179.98, -0.51], [-180.0, -0.51], [-180.0, -0.54]]],
]


@pytest.mark.parametrize("epsg", [32701, 32760, 4326])
@pytest.mark.parametrize("kind", ["box", "polygons"])
def test_area_over_the_antimeridian(tmp_path: Path, epsg: int, kind: str) -> None:
    """A box with west beyond east, or polygons cut at 180 degrees as RFC 7946 (3.1.9) asks for."""
    grid = at_the_antimeridian(epsg)
    config = write_shots(tmp_path / "scenes", Shot(layers=flat(grid, PAIR[0][1])))
    area = [179.97, -0.54, -179.98, -0.51] if kind == "box" else multi(*EITHER_SIDE)
    result = ndvi(config, tmp_path / "out", aoi=area)
    lon, lat = lonlat(result.grid)
    lon = np.where(lon < 0, lon + 360, lon)
    outline = (
        shapely.box(179.97, -0.54, 180.02, -0.51)
        if kind == "box"
        else shapely.Polygon([[179.96, -0.54], [180.03, -0.54], [180.02, -0.51], [179.97, -0.51]])
    )
    sure = ~shapely.dwithin(shapely.points(lon, lat), outline.boundary, 5e-7)
    np.testing.assert_array_equal(~np.isnan(result.pixels)[sure], shapely.contains_xy(outline, lon, lat)[sure])
    assert (lon > 180).sum() > 100
    assert (lon < 180).sum() > 100
