"""An area of interest costs little, whatever its shape: long edges are refused, only what lies near is densified."""

from typing import Any

import numpy as np
import pytest
import shapely
from affine import Affine
from pydantic import ValidationError
from rasterio.crs import CRS
from shapely.geometry.base import BaseGeometry

from processing.raster import aoi
from processing.raster.grids.grid import Grid
from processing.raster.operations.ndvi import NdviParams
from tests.raster.support.pairs import square

EARTH = [-180, -90, 180, 90]


def zigzag(edges: int, west: float = -178.0, east: float = 179.0) -> dict[str, Any]:
    """A thin band that runs to and fro between two meridians, from south to north."""
    there = [[east if number % 2 else west, -80 + 160 * number / edges] for number in range(edges)]
    back = [[lon + 0.1, lat] for lon, lat in reversed(there)]
    return {"type": "Polygon", "coordinates": [[*there, *back, there[0]]]}


def vertices(geometry: BaseGeometry) -> int:
    return len(shapely.get_coordinates(geometry))


@pytest.mark.parametrize("edges", [499, 50, 10])
def test_area_with_very_long_edges_is_refused_with_their_length(edges: int) -> None:
    with pytest.raises(ValidationError, match="degrees long") as error:
        NdviParams(aoi=zigzag(edges))
    (fault,) = error.value.errors()
    assert fault["loc"] == ("aoi",)


@pytest.mark.parametrize(
    "area",
    [EARTH, zigzag(4), zigzag(499, -122.6, -121.4), [179, -90, -179, 90]],
    ids=["the Earth", "four times around it", "1,000 vertices in a scene", "over the antimeridian"],
)
def test_area_of_any_extent_is_taken_and_gets_no_more_vertices(area: Any) -> None:
    assert NdviParams(aoi=area).aoi == area
    given = 5 if isinstance(area, list) else len(area["coordinates"][0])
    assert vertices(aoi.geometry(area)) == given


@pytest.mark.parametrize("area", [EARTH, zigzag(4), [-180, 37, 180, 38]], ids=["the Earth", "zigzag", "a belt"])
def test_only_what_lies_near_the_grid_is_densified(area: Any) -> None:
    """One vertex for each hundredth of a degree around 0.03 x 0.02 degrees with a margin of 0.1."""
    near = square(300, 200).in_pixels(aoi.geometry(area))
    assert vertices(near) <= 120


SHAPES = {
    "triangle": [[-122.59, 37.71], [-122.53, 37.72], [-122.56, 37.77], [-122.59, 37.71]],
    "sliver": [[-122.59, 37.71], [-122.41, 37.74], [-122.41, 37.741], [-122.59, 37.71]],
    "country": [[-125.0, 24.0], [-66.0, 25.0], [-67.0, 50.0], [-124.0, 49.0], [-125.0, 24.0]],
    "corner": [[-122.55, 37.74], [-100.0, 37.0], [-100.0, 20.0], [-122.55, 37.74]],
}
GRIDS = {
    "UTM": square(2000, 1500),
    "another zone": square(2000, 1500, epsg=32611, west=11_000, north=4_197_000),
    "degrees": Grid(
        crs=CRS.from_epsg(4326), transform=Affine(0.0001, 0, -122.6, 0, -0.0001, 37.8), width=1500, height=1200
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", GRIDS)
def test_clipping_first_moves_no_edge(name: str, shape: str) -> None:
    """The outline is where it is if the whole area is densified first, to a hundredth of a pixel."""
    grid = GRIDS[name]
    whole = shapely.Polygon(SHAPES[shape])
    frame = grid.rectangle.buffer(10)
    near = grid.in_pixels(aoi.geometry({"type": "Polygon", "coordinates": [SHAPES[shape]]})).intersection(frame)
    reference = grid.in_pixels(shapely.segmentize(whole, 0.0005)).intersection(frame)
    assert near.is_empty == reference.is_empty
    if not reference.is_empty:
        assert shapely.hausdorff_distance(near, reference, densify=0.01) < 0.01
        np.testing.assert_allclose(near.bounds, reference.bounds, atol=0.01)
