"""A scene's files: opened side by side, each read by one thread at a time, and all closed in the end."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.io import DatasetReader
from rasterio.windows import Window

from processing.raster.errors import BandNotFound, SceneUnreadable
from processing.raster.grids.grid import Grid
from processing.raster.grids.overlay import lay_over
from processing.raster.reading import on_grid
from processing.raster.reading.open_rasters import OpenRasters
from processing.raster.reading.raster_file import RasterFile, enter_gdal_environment, gdal_environment
from processing.raster.reading.scene_reader import MASK_PART, SceneReader, open_scene
from processing.raster.scenes import find_scene
from processing.raster.types import Config, PixelArray, Scene, SceneId
from tests.raster.support.pairs import BEFORE, NORTH, WEST, Layer, Shot, ndvi, serve_shots, square, write_shots
from tests.servers import RangeServer, StacServer

PATIENCE = 15  # seconds after which a thread that should have gone on is given up
BANDS = ("red", "nir", "swir16")
ON = square(600, 520)


def noise(on: Grid, seed: int, dtype: str = "uint16") -> PixelArray:
    highest = 12 if dtype == "uint8" else 10_000
    return np.random.default_rng(seed).integers(1, highest, on.shape).astype(dtype)


def scene_of_three_bands_and_a_mask() -> Shot:
    """Two bands on the scene's grid, one and the mask on that of 20 m."""
    coarse = square(300, 260, metres=20.0)
    layers = {
        "red": Layer(numbers=noise(ON, 1), grid=ON),
        "nir": Layer(numbers=noise(ON, 2), grid=ON),
        "swir16": Layer(numbers=noise(coarse, 3), grid=coarse),
        "scl": Layer(numbers=noise(coarse, 4, "uint8"), grid=coarse),
    }
    return Shot(layers=layers)


def found(config: Config, name: str = BEFORE) -> Scene:
    return find_scene(SceneId(provider="sentinel-2", original_id=name), config)


def file_of(config: Config, asset: str) -> Path:
    (path,) = config.sandbox_dir.rglob(f"{asset}.tif")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return write_shots(tmp_path / "scenes", scene_of_three_bands_and_a_mask())


def names_of(datasets: list[DatasetReader]) -> list[str]:
    return sorted(Path(dataset.name).stem for dataset in datasets)


# --- Opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bands", "with_mask", "opened"),
    [
        (BANDS, True, ["nir", "red", "scl", "swir16"]),
        (BANDS, False, ["nir", "red", "swir16"]),
        (("nir", "swir16"), True, ["nir", "red", "scl", "swir16"]),
        (("red", "nir"), False, ["nir", "red"]),
    ],
)
def test_each_file_is_opened_once_with_the_red_band_and_all_are_closed(
    config: Config, datasets: list[DatasetReader], bands: tuple[str, ...], with_mask: bool, opened: list[str]
) -> None:
    with OpenRasters(config, config.sandbox_dir) as files:
        scene = open_scene(found(config), bands, files, with_mask=with_mask)
        assert names_of(datasets) == opened
        assert not any(dataset.closed for dataset in datasets)
        assert scene.parts == list(scene.files) == [*bands, *([MASK_PART] if with_mask else [])]
        assert scene.grid == ON
    assert all(dataset.closed for dataset in datasets)


class Meeting(RangeServer):
    """Answers the first request for a file only once those for `files` of them are there."""

    def __init__(self, folder: Path, files: int) -> None:
        super().__init__(folder)
        self.all_there, self.known = threading.Barrier(files), set[str]()
        self._server.RequestHandlerClass = type("Handler", (_MeetingHandler, self._server.RequestHandlerClass), {})


class _MeetingHandler:
    def _serve(self: Any, *, with_body: bool) -> None:
        owner: Meeting = self.server.owner
        if self.path not in owner.known:
            owner.known.add(self.path)
            owner.all_there.wait(PATIENCE)
        super()._serve(with_body=with_body)  # type: ignore[misc]


def test_remote_files_are_opened_side_by_side(
    stac_server: StacServer, tmp_path: Path, datasets: list[DatasetReader]
) -> None:
    with Meeting(tmp_path / "files", 4) as server:
        config = serve_shots(stac_server, server, scene_of_three_bands_and_a_mask())
        with OpenRasters(config, tmp_path) as files:
            open_scene(found(config), BANDS, files, with_mask=True)
        assert not server.all_there.broken
    assert len(datasets) == 4
    assert all(dataset.closed for dataset in datasets)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("missing", ["red", "nir", "swir16", "scl"])
def test_part_that_cannot_be_opened_is_named_and_no_file_stays_open(
    config: Config, datasets: list[DatasetReader], missing: str
) -> None:
    file_of(config, missing).unlink()
    with pytest.raises(SceneUnreadable) as error, OpenRasters(config, config.sandbox_dir) as files:
        open_scene(found(config), ("nir", "swir16"), files, with_mask=True)
    assert error.value.details == {"scene_id": f"sentinel-2:{BEFORE}", "asset": missing}
    assert all(dataset.closed for dataset in datasets)


@pytest.mark.parametrize("missing", ["nir", "swir16", "scl"])
def test_remote_part_that_cannot_be_opened_is_named_and_no_file_stays_open(
    stac_server: StacServer, range_server: RangeServer, datasets: list[DatasetReader], tmp_path: Path, missing: str
) -> None:
    config = serve_shots(stac_server, range_server, scene_of_three_bands_and_a_mask())
    (path,) = range_server.folder.rglob(f"{missing}.tif")
    path.unlink()
    with pytest.raises(SceneUnreadable) as error, OpenRasters(config, tmp_path) as files:
        open_scene(found(config), BANDS, files, with_mask=True)
    assert error.value.details["asset"] == missing
    assert all(dataset.closed for dataset in datasets)
    assert not list(tmp_path.glob("*.part"))


def test_band_that_there_is_not_opens_nothing(config: Config, datasets: list[DatasetReader]) -> None:
    with pytest.raises(BandNotFound), OpenRasters(config, config.sandbox_dir) as files:
        open_scene(found(config), ("red", "blue"), files, with_mask=True)
    assert datasets == []


# --- Reading --------------------------------------------------------------------------------------------------------

THREADS = 4
# Grids that the scene's pixels lie on, in part or whole, and others to which they are resampled.
GRIDS = {
    "same": ON,
    "shifted": square(300, 280, west=WEST + 1000, north=NORTH - 500),
    "coarser": square(200, 150, metres=30.0),
    "another zone": square(500, 500, epsg=32611, west=10_000.0, north=4_190_000.0),
}


def reader_on(target: Grid, config: Config, files: OpenRasters) -> tuple[SceneReader, list[Window]]:
    """Of the scene as the second of two, the first of which lies on `target`; and windows to read."""
    scene = open_scene(found(config), BANDS, files, with_mask=True)
    overlay = lay_over([target, scene.grid])
    windows = list(overlay.grid.windows(64))
    return SceneReader(scene, overlay, 1, files), windows[: len(windows) // THREADS * THREADS]


def files_read(monkeypatch: pytest.MonkeyPatch, before_read: Callable[[], object]) -> list[RasterFile]:
    """The file of each read. A read fails where another thread is reading the same file."""
    used: list[RasterFile] = []
    busy, lock, read = set[RasterFile](), threading.Lock(), on_grid._OnGrid.read

    def read_watched(reader: Any, window: Window) -> PixelArray:
        with lock:
            assert reader._file not in busy, "two threads read from one open file"
            busy.add(reader._file)
            used.append(reader._file)
        before_read()
        pixels = read(reader, window)
        busy.remove(reader._file)
        return pixels

    monkeypatch.setattr(on_grid._OnGrid, "read", read_watched)
    return used


@pytest.mark.parametrize("name", GRIDS)
def test_threads_read_what_one_reads_alone_each_from_a_file_of_its_own(
    config: Config, datasets: list[DatasetReader], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with gdal_environment(), OpenRasters(config, config.sandbox_dir) as files:
        alone, windows = reader_on(GRIDS[name], config, files)
        expected = {part: [alone.read_part(part, window) for window in windows] for part in alone.scene.parts}
    assert all(np.any(arrays[0]) for arrays in expected.values())
    together = threading.Barrier(THREADS)  # so that as many files are read at once as there are threads
    used = files_read(monkeypatch, lambda: together.wait(PATIENCE))
    with (
        OpenRasters(config, config.sandbox_dir) as files,
        ThreadPoolExecutor(THREADS, initializer=enter_gdal_environment) as pool,
    ):
        reader, _ = reader_on(GRIDS[name], config, files)
        for part in reader.scene.parts:
            used.clear()
            for one, other in zip(expected[part], pool.map(partial(reader.read_part, part), windows), strict=True):
                np.testing.assert_array_equal(one, other)
            assert len(set(used)) == THREADS
            assert len(used) == len(windows) > THREADS
        assert not any(dataset.closed for dataset in datasets[4:])
    assert len(datasets) == 4 + 4 * THREADS
    assert all(dataset.closed for dataset in datasets)


def test_one_thread_reads_each_part_from_the_file_that_is_open(config: Config, datasets: list[DatasetReader]) -> None:
    with gdal_environment(), OpenRasters(config, config.sandbox_dir) as files:
        reader, windows = reader_on(ON, config, files)
        for window in windows:
            reader.read(window)
    assert len(datasets) == 4


@pytest.mark.parametrize("threads", [1, 3])
def test_job_closes_all_that_it_opened(
    config: Config, datasets: list[DatasetReader], tmp_path: Path, threads: int
) -> None:
    ndvi(replace(config, threads=threads), tmp_path / "out", cloud_mask=True)
    assert {"nir", "red", "scl"} <= set(names_of(datasets))
    assert all(dataset.closed for dataset in datasets)


@pytest.mark.parametrize("asset", ["red", "nir", "scl"])
@pytest.mark.parametrize("threads", [1, 3])
def test_job_that_fails_in_mid_read_closes_all_that_it_opened(
    config: Config, datasets: list[DatasetReader], tmp_path: Path, asset: str, threads: int
) -> None:
    path = file_of(config, asset)
    os.truncate(path, path.stat().st_size * 2 // 3)
    with pytest.raises(SceneUnreadable) as error:
        ndvi(replace(config, threads=threads), tmp_path / "out", cloud_mask=True)
    assert error.value.details["asset"] == asset
    assert all(dataset.closed for dataset in datasets)
