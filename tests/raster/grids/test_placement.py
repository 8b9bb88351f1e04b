"""How one grid lies on another decides how it is read."""

import pytest
from affine import Affine
from rasterio.crs import CRS

from processing.raster.grids.grid import Grid
from processing.raster.grids.placement import Across, Aligned, Parallel, placement_of, resampling_of
from tests.raster.support.pairs import square
from tests.raster.support.rasters import grid

SOURCE = square(100, 80)
TURNED = Grid(crs=CRS.from_epsg(32610), transform=Affine(8, 6, 540_000, 6, -8, 4_180_000), width=50, height=50)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (SOURCE, Aligned(corner=(0, 0))),
        (square(50, 40, west=540_200, north=4_179_900), Aligned(corner=(20, 10))),
        (square(50, 40, west=540_200.001, north=4_179_900), Aligned(corner=(20, 10))),  # within rounding
        (square(50, 40, west=540_203, north=4_179_900), "interpolated"),
        (square(110, 80), "interpolated"),  # reaches beyond the source
        (square(100, 80, metres=5.0), "interpolated"),
        (square(50, 40, metres=19.7), "interpolated"),
        (square(50, 40, metres=19.9), "averaged"),  # twice as large, to the hundredth by which projections stretch
        (square(50, 40, metres=20.0), "averaged"),
        (square(10, 10, metres=60.0), "averaged"),
        (square(100, 80, epsg=32611), Across(averages=False)),
        (square(50, 40, metres=20.0, epsg=32611), Across(averages=True)),
        (TURNED, Across(averages=False)),
    ],
)
def test_placement(target: Grid, expected: Aligned | Across | str) -> None:
    placed = placement_of(target, SOURCE)
    if isinstance(expected, str):
        assert isinstance(placed, Parallel)
        assert placed.averages is (expected == "averaged")
    else:
        assert placed == expected


def test_rows_and_columns_of_a_parallel_grid_are_placed_each_by_itself() -> None:
    placed = placement_of(square(200, 160, metres=5.0, west=540_100), SOURCE)
    assert isinstance(placed, Parallel)
    # Centres of 5 m pixels lie a quarter of a 10 m pixel before those of 10 m.
    assert (placed.columns.first, placed.columns.step) == pytest.approx((9.75, 0.5))
    assert (placed.rows.first, placed.rows.step) == pytest.approx((-0.25, 0.5))


def test_resolutions_are_compared_in_metres() -> None:
    # 30 feet are 9 m: less than twice as large as 10 m, although the number is three times as large.
    assert placement_of(grid(8, 8, 30.0, epsg=2263), grid(8, 8, 10.0)) == Across(averages=False)


@pytest.mark.parametrize(
    ("target", "of_band", "of_mask"),
    [
        (SOURCE, "aligned", "aligned"),
        (square(110, 80), "bilinear", "nearest"),
        (square(50, 40, metres=20.0), "average", "nearest"),
        (TURNED, "warped, bilinear", "warped, nearest"),
        (square(50, 40, metres=20.0, epsg=32611), "warped, average", "warped, nearest"),
    ],
)
def test_resampling_is_named(target: Grid, of_band: str, of_mask: str) -> None:
    placed = placement_of(target, SOURCE)
    assert resampling_of(placed, blends=True) == of_band
    assert resampling_of(placed, blends=False) == of_mask
