"""The same ground, seen on two grids of any kind, is no change but at the edges of fields."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from processing.raster.grids.grid import Grid
from tests.raster.pairs.pair_reading import BANDS, turned
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    NORTH,
    WEST,
    Codes,
    Dense,
    Shot,
    Truth,
    compare,
    lonlat,
    shot,
    square,
    write_shots,
)

# Fields of one kind each, as a function of the place on Earth. They are 35 to 45 pixels wide, so some 5 percent of the
# pixels of a map lie on an edge. `most_percent` bounds the share of all pixels that may count as changed there.
FIELD = 0.004  # degrees, some 350 to 440 m
KINDS = ((0.025, 0.32, 0.14), (0.18, 0.26, 0.34), (0.04, 0.42, 0.19), (0.16, 0.22, 0.23))


def fields(lon: Dense, lat: Dense) -> Codes:
    """The kind of ground at each place."""
    column, row = np.floor(lon / FIELD).astype(np.int64), np.floor(lat / FIELD).astype(np.int64)
    return ((column * 7 + row * 3 + (column * row) % 5) % len(KINDS)).astype(np.uint8)


def ground(lon: Dense, lat: Dense) -> dict[str, Dense]:
    """Fields with a gentle slope of brightness across them."""
    shade = 1 + 0.05 * np.sin(lon * 1500) * np.cos(lat * 1500)
    kinds = np.array(KINDS)[fields(lon, lat)]
    return {band: kinds[..., index] * shade for index, band in enumerate(("red", "nir", "swir16"))}


def seen(grid: Grid, bands: tuple[str, ...] = BANDS, name: str = BEFORE) -> Shot:
    """The ground as a satellite sees it on that grid: each pixel is the mean of 3 x 3 places in it."""
    places = [(across, down) for across in (1 / 6, 0.5, 5 / 6) for down in (1 / 6, 0.5, 5 / 6)]
    samples = [ground(*lonlat(grid, across, down)) for across, down in places]
    return shot({band: np.mean([sample[band] for sample in samples], axis=0) for band in bands}, grid, name=name)


def near_an_edge(grid: Grid, reach: int) -> Truth:
    """Whether another field begins within so many pixels."""
    margin = Window(-reach, -reach, grid.width + 2 * reach, grid.height + 2 * reach)
    kinds = fields(*lonlat(grid.cut(margin)))
    around = np.lib.stride_tricks.sliding_window_view(kinds, (2 * reach + 1, 2 * reach + 1))
    edges: Truth = around.min(axis=(2, 3)) != around.max(axis=(2, 3))
    return edges


def changed_share(directory: Path, before: Grid, after: Grid, reach: int = 2) -> float:
    """Percent of the valid pixels that count as changed. Fails if one of them lies inside of a field.

    `reach` is the distance, in pixels of the result, of the farthest source pixel that a result's pixel is made of.
    """
    config = write_shots(directory / "scenes", seen(before), seen(after, name=AFTER))
    result = compare(config, directory / "out")
    changed = ~np.isin(result.pixels, (0, 255))
    inside = ~near_an_edge(result.grid, reach)
    assert inside.mean() > 0.4
    assert not (changed & inside).any()
    assert result.statistics["valid_percent"] > 90
    return float(100 * changed.sum() / (result.pixels != 255).sum())


# Around 120 degrees west, where zone 10 meets zone 11.
ZONE_10, ZONE_11 = (
    square(280, 260, epsg=32610, west=760_000, north=4_210_000),
    square(280, 260, epsg=32611, west=232_700, north=4_210_300),
)


@pytest.mark.parametrize(
    ("before", "after", "most_percent"),
    [
        pytest.param(ZONE_10, ZONE_11, 2.5, id="zone 10 and zone 11"),
        pytest.param(ZONE_11, ZONE_10, 2.5, id="zone 11 and zone 10"),
        pytest.param(square(260, 250), square(260, 250, west=WEST + 5, north=NORTH - 5), 4, id="half a pixel"),
        pytest.param(square(260, 250), square(260, 250, west=WEST + 5), 3, id="half a pixel aside"),
    ],
)
def test_same_ground_on_another_grid_is_no_change_but_at_edges(
    tmp_path: Path, before: Grid, after: Grid, most_percent: float
) -> None:
    assert changed_share(tmp_path, before, after) < most_percent


def around(grid: Grid, metres: float, margin: float = 300) -> Grid:
    """A straight grid of such pixels that holds all of `grid`."""
    corners = [grid.transform @ (x, y) for x in (0, grid.width) for y in (0, grid.height)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    west, north = min(xs) - margin - 3.3, max(ys) + margin + 1.7
    width, height = (max(xs) - min(xs) + 2 * margin) / metres, (max(ys) - min(ys) + 2 * margin) / metres
    return square(int(width), int(height), metres, west=west, north=north)


OBLONG = replace(square(200, 300), transform=Affine(16, 0, WEST, 0, -9, NORTH))
SOUTH_UP = replace(square(200, 300), transform=Affine(12, 0, WEST, 0, 12, NORTH))


@pytest.mark.parametrize(
    ("before", "after", "most_percent"),
    [
        pytest.param(square(90, 80, 30), around(square(90, 80, 30), 10), 3, id="30 m and 10 m"),
        pytest.param(around(square(90, 80, 30), 10), square(90, 80, 30), 3, id="10 m and 30 m"),
        pytest.param(turned(15, 250, 200, 12), around(turned(15, 250, 200, 12), 10), 3, id="turned by 15 degrees"),
        pytest.param(OBLONG, around(OBLONG, 10), 4, id="oblong pixels"),
        pytest.param(SOUTH_UP, around(SOUTH_UP, 10), 3, id="south up"),
    ],
)
def test_same_ground_at_another_resolution_is_no_change_but_at_edges(
    tmp_path: Path, before: Grid, after: Grid, most_percent: float
) -> None:
    coarse = max(before, after, key=lambda grid: grid.gsd)
    share = changed_share(tmp_path, before, after)
    assert share < most_percent
    with rasterio.open(tmp_path / "out" / "change_detection_output.tif") as file:
        assert Grid.of(file) == coarse


def test_same_ground_in_two_zones_across_the_antimeridian_is_no_change_but_at_edges(tmp_path: Path) -> None:
    east = square(400, 300, 30, epsg=32601, west=161_000, north=500_000)
    west = square(400, 300, 30, epsg=32660, west=827_000, north=500_000)
    assert changed_share(tmp_path, east, west) < 7
    lon, _ = lonlat(east)
    assert (lon > 179).any()
    assert (lon < -179).any()
