"""UTM as we compute it beside PROJ, and grids that it places beside those that PROJ places."""

from collections.abc import Sequence

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform

from processing.raster import aoi
from processing.raster.errors import AoiOutsideScene, ScenesDoNotOverlap
from processing.raster.geometry import UtmGrid, common_ground, part_in
from processing.raster.geometry.utm import from_utm, is_utm, to_utm
from processing.raster.grids import Grid, clip, lay_over

WGS84 = CRS.from_epsg(4326)
ZONES = [32601, 32610, 32631, 32660, 32701, 32733, 32760]
_MILLIMETRE = 1e-3


@pytest.mark.parametrize("epsg", ZONES)
def test_coordinates_are_those_of_proj_in_and_beside_the_zone(epsg: int) -> None:
    random = np.random.default_rng(epsg)
    longitudes = (epsg % 100 * 6 - 183 + random.uniform(-10, 10, 5000) + 180) % 360 - 180
    latitudes = random.uniform(-84, 84, 5000)
    xs, ys = to_utm(epsg, longitudes, latitudes)
    expected = transform(WGS84, CRS.from_epsg(epsg), longitudes, latitudes)
    np.testing.assert_allclose([xs, ys], expected, atol=_MILLIMETRE, rtol=0)
    back = from_utm(epsg, xs, ys)
    np.testing.assert_allclose(back, [longitudes, latitudes], atol=1e-9, rtol=0)


def test_other_side_of_the_earth_is_not_shown() -> None:
    xs, ys = to_utm(32631, np.array([3.0, 93.0, 180.0, -100.0]), np.array([45.0, 0.0, 10.0, 80.0]))
    assert np.isfinite(xs).tolist() == np.isfinite(ys).tolist() == [True, False, False, False]


@pytest.mark.parametrize("epsg", [4326, 32600, 32661, 32700, 32761, 3031, 0, -32610])
def test_other_codes_are_no_zones(epsg: int) -> None:
    assert not is_utm(epsg)


def pair(epsg: int, transform: Affine, side: int) -> tuple[UtmGrid, Grid]:
    """The same grid, as we place it and as PROJ does."""
    ours = UtmGrid(epsg=epsg, transform=transform, width=side, height=side)
    return ours, Grid(crs=CRS.from_epsg(epsg), transform=transform, width=side, height=side)


ONE = pair(32610, Affine(10, 0, 540_000, 0, -10, 4_180_000), 2000)
SHIFTED = pair(32610, Affine(10, 0, 545_000, 0, -10, 4_183_000), 2000)
COARSE = pair(32610, Affine(30, 0, 541_005, 0, -30, 4_178_995), 500)
FAR = pair(32610, Affine(10, 0, 640_000, 0, -10, 4_180_000), 2000)
EDGE = pair(32610, Affine(10, 0, 759_000, 0, -10, 4_180_000), 2000)
NEIGHBOUR = pair(32611, Affine(10, 0, 230_000, 0, -10, 4_185_000), 2000)  # of EDGE
FIRST = pair(32601, Affine(10, 0, 345_000, 0, -10, 7_200_000), 3000)
LAST = pair(32660, Affine(10, 0, 620_000, 0, -10, 7_200_000), 3000)  # beyond the antimeridian of FIRST


@pytest.mark.parametrize(
    "pairs", [[ONE], [ONE, SHIFTED], [ONE, COARSE], [EDGE, NEIGHBOUR], [NEIGHBOUR, EDGE], [FIRST, LAST]]
)
def test_pairs_share_the_ground_that_proj_says(pairs: Sequence[tuple[UtmGrid, Grid]]) -> None:
    ours, theirs = common_ground([pair[0] for pair in pairs]), lay_over([pair[1] for pair in pairs])
    assert (ours.grid.shape, ours.grid.transform) == (theirs.grid.shape, theirs.grid.transform)
    assert (ours.grid.proj_code, ours.grid.gsd) == (theirs.grid.proj_code, theirs.grid.gsd)
    assert ours.percent == pytest.approx(theirs.overlap_percent)


def test_scenes_apart_share_nothing() -> None:
    with pytest.raises(ScenesDoNotOverlap):
        common_ground([ONE[0], FAR[0]])
    with pytest.raises(ScenesDoNotOverlap):
        common_ground([ONE[0], LAST[0]])


@pytest.mark.parametrize(
    ("pair", "area"),
    [
        (ONE, [-122.5, 37.6, -122.4, 37.7]),
        (ONE, [-123.0, 37.6, -122.4, 37.7]),
        (ONE, [-179.0, -80.0, 179.0, 80.0]),
        (ONE, {"type": "Polygon", "coordinates": [[[-122.5, 37.6], [-122.4, 37.65], [-122.45, 37.7], [-122.5, 37.6]]]}),
        (FIRST, [179.9, 64.7, -178.5, 64.9]),
    ],
)
def test_area_has_the_window_that_proj_says(pair: tuple[UtmGrid, Grid], area: object) -> None:
    ours, theirs = part_in(pair[0], aoi.geometry(area)), clip(lay_over([pair[1]]), aoi.geometry(area))
    assert (ours.grid.shape, ours.grid.transform) == (theirs.grid.shape, theirs.grid.transform)
    assert ours.covered_percent == pytest.approx(theirs.area_covered_percent)


def test_area_elsewhere_is_outside() -> None:
    with pytest.raises(AoiOutsideScene):
        part_in(ONE[0], aoi.geometry([10.0, 50.0, 11.0, 51.0]))
