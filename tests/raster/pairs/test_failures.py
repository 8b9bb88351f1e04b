"""Pairs of scenes that cannot be compared: a named error, and no file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processing.raster import pipeline
from processing.raster.errors import BandNotFound, NoValidPixels, ScenesDoNotOverlap, SceneUnreadable, Stopped
from processing.raster.grids.grid import Grid
from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.types import RasterJob, SceneId
from tests.raster.pairs.pair_reading import BANDS, random_bands
from tests.raster.support.pairs import AFTER, BEFORE, NORTH, WEST, Shot, compare, shot, square, write_shots


def bare(grid: Grid, bands: tuple[str, ...] = BANDS, name: str = BEFORE) -> Shot:
    return shot(random_bands(grid, 1, bands), grid, name=name)


def failing(directory: Path, before: Shot, after: Shot, error: type[Exception], **params: Any) -> Exception:
    """The error of comparing the two scenes. Fails if a file stays."""
    config = write_shots(directory / "scenes", before, after)
    with pytest.raises(error) as raised:
        compare(config, directory / "out", **params)
    assert list((directory / "out").iterdir()) == []
    return raised.value


@pytest.mark.parametrize(
    "other",
    [
        square(100, 100, west=WEST + 1000),
        square(100, 100, west=WEST + 995),
        square(100, 100, north=NORTH - 5_000_000),
        square(100, 100, epsg=32611),
        square(100, 100, epsg=32733),
    ],
    ids=["side by side", "half a percent", "far south", "another zone", "another half of the Earth"],
)
def test_scenes_that_do_not_overlap_are_refused(tmp_path: Path, other: Grid) -> None:
    failing(tmp_path, bare(square(100, 100)), bare(other, name=AFTER), ScenesDoNotOverlap)


def test_scenes_without_a_pixel_valid_in_both_are_refused(tmp_path: Path) -> None:
    grid = square(60, 40)
    first, second = random_bands(grid, 1), random_bands(grid, 2)
    first["red"][:, :30] = np.nan
    second["nir"][:, 30:] = np.nan
    error = failing(tmp_path, shot(first, grid), shot(second, grid, name=AFTER), NoValidPixels)
    assert isinstance(error, NoValidPixels)
    assert error.details["scene_ids"] == [f"sentinel-2:{BEFORE}", f"sentinel-2:{AFTER}"]


@pytest.mark.parametrize("lacking", [BEFORE, AFTER])
def test_band_that_one_scene_lacks_is_named(tmp_path: Path, lacking: str) -> None:
    grid = square(60, 40)
    three = ("red", "nir", "swir16")
    before, after = (bare(grid, BANDS if name == lacking else three, name) for name in (BEFORE, AFTER))
    error = failing(tmp_path, before, after, BandNotFound, bands=list(three))
    assert isinstance(error, BandNotFound)
    assert error.details == {"scene_id": f"sentinel-2:{lacking}", "band": "swir16"}
    assert lacking in error.message
    assert "swir16" in error.message


@pytest.mark.parametrize("broken", ["red", "nir", "scl"])
@pytest.mark.parametrize("west", [WEST, WEST + 5], ids=["aligned", "resampled"])
def test_file_that_ends_in_the_middle_is_named(tmp_path: Path, broken: str, west: float) -> None:
    grid, other = square(1500, 1300), square(1500, 1300, west=west)
    scl = np.full(grid.shape, 4, np.uint8)
    before = shot(random_bands(grid, 1), grid, scl=scl)
    after = shot(random_bands(other, 2), other, scl=scl, name=AFTER)
    config = write_shots(tmp_path / "scenes", before, after)
    path = next((tmp_path / "scenes").glob(f"*/{AFTER}/{broken}.tif"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    with pytest.raises(SceneUnreadable) as error:
        compare(config, tmp_path / "out")
    assert error.value.details["scene_id"] == f"sentinel-2:{AFTER}"
    assert error.value.details["asset"] == broken
    assert list((tmp_path / "out").iterdir()) == []


def test_job_that_is_stopped_leaves_no_file(tmp_path: Path) -> None:
    grid = square(1100, 1100)
    config = write_shots(tmp_path / "scenes", bare(grid), bare(grid, name=AFTER))
    ids = tuple(SceneId(provider="sentinel-2", original_id=name) for name in (BEFORE, AFTER))
    job = RasterJob(operation="change_detection", scene_ids=ids, params=ChangeDetectionParams())
    shares: list[float] = []

    def tick(share: float) -> None:
        shares.append(share)
        if len(shares) == 3:
            raise Stopped

    (tmp_path / "out").mkdir()
    with pytest.raises(Stopped):
        pipeline.run(job, tmp_path / "out", tick, config)
    assert len(shares) == 3
    assert 0 < shares[-1] < 1
    assert list((tmp_path / "out").iterdir()) == []
