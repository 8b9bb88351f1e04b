"""Only the blocks of an area are read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from affine import Affine

from processing.raster.grids.grid import Grid
from tests.raster.aoi.areas import box_around, place
from tests.raster.support.pairs import (
    AFTER,
    BEFORE,
    Layer,
    Shot,
    compare,
    serve_shots,
    square,
)
from tests.servers import RangeServer, StacServer

HEADERS = 32 << 10  # bytes that reading a file's directories may take


def blocks_touched(path: Path, rows: slice, columns: slice) -> int:
    """Bytes of the file's blocks in which these pixels lie."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        side, across = page.tilewidth, -(-page.imagewidth // page.tilewidth)
        return sum(
            page.databytecounts[row * across + column]
            for row in range(rows.start // side, (rows.stop - 1) // side + 1)
            for column in range(columns.start // side, (columns.stop - 1) // side + 1)
        )


@pytest.mark.parametrize(
    ("corners", "shift"),
    [
        ((600, 650, 700, 760), 0),
        ((500, 490, 560, 540), 0),
        ((1000, 1010, 1100, 1200), 0),
        ((30, 1500, 1950, 1530), 0),
        ((600, 650, 700, 760), 5),
        ((1000, 1010, 1100, 1200), 5),
    ],
    ids=["in a block", "corner of blocks", "seam of windows", "a long one", "resampled", "resampled at a seam"],
)
def test_only_the_blocks_of_the_area_are_read(
    tmp_path: Path,
    stac_server: StacServer,
    range_server: RangeServer,
    corners: tuple[int, int, int, int],
    shift: float,
) -> None:
    grid = square(2000, 1800)
    shots = [
        big_shot(grid, BEFORE),
        big_shot(replace(grid, transform=grid.transform @ Affine.translation(shift / 10, 0)), AFTER),
    ]
    options = {"blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1}
    config = serve_shots(stac_server, range_server, *shots, **options)
    result = compare(config, tmp_path / "out", aoi=box_around(grid, *corners))
    rows, columns = place(result.grid, grid)
    paths = sorted(range_server.folder.glob("*/*.tif"))
    assert len(paths) == 6
    touched = sum(blocks_touched(path, rows, columns) for path in paths)
    assert touched < sum(path.stat().st_size for path in paths) / 2
    # These files have no overviews. Three blocks of each red are looked at instead, of 512 x 512 pixels of 2 bytes.
    looked_at = 2 * 3 * 512 * 512 * 2
    assert range_server.bytes_sent <= 2 * touched + looked_at + HEADERS * len(paths)
    assert sum(result.pixels_by_class) == result.pixels.size - np.count_nonzero(result.pixels == 255)


def big_shot(grid: Grid, name: str) -> Shot:
    """DN that compress badly, as those of real scenes do."""
    random = np.random.default_rng(8)
    bands = {band: random.integers(1001, 7000, grid.shape).astype(np.uint16) for band in ("red", "nir")}
    layers = {key: Layer(dn=dn, grid=grid) for key, dn in bands.items()}
    scl = Layer(dn=random.choice(np.array([4, 5, 6], np.uint8), grid.shape), grid=grid)
    return Shot(layers={**layers, "scl": scl}, name=name)
