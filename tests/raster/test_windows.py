"""The windows of a job: the same result with any number of threads, none of which outlives the job."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from processing.raster.cog.pyramid import WINDOW
from processing.raster.errors import SceneUnreadable
from processing.raster.types import Config
from tests.raster.support.pairs import Layer, Shot, ndvi, square, write_shots

GRID = square(2 * WINDOW + 100, 2 * WINDOW)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A scene of six windows, in part without data."""
    random = np.random.default_rng(3)
    layers = {}
    for name in ("red", "nir"):
        dn = random.integers(1, 10_000, GRID.shape, dtype=np.uint16)
        dn[:WINDOW, : WINDOW // 2] = 0
        layers[name] = Layer(dn=dn, grid=GRID)
    return write_shots(tmp_path / "scenes", Shot(layers=layers))


def test_result_is_the_same_with_any_number_of_threads(config: Config, tmp_path: Path) -> None:
    first, *others = [
        ndvi(replace(config, threads=threads), tmp_path / str(threads), cloud_mask=False) for threads in (1, 2, 5)
    ]
    for other in others:
        np.testing.assert_array_equal(other.pixels, first.pixels)
        assert other.statistics == first.statistics


def test_no_thread_outlives_a_job_that_fails(config: Config, tmp_path: Path) -> None:
    (path,) = (tmp_path / "scenes").rglob("nir.tif")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    before = set(threading.enumerate())
    with pytest.raises(SceneUnreadable):
        ndvi(replace(config, threads=3), tmp_path / "out", cloud_mask=False)
    assert set(threading.enumerate()) <= before
    assert list((tmp_path / "out").iterdir()) == []
