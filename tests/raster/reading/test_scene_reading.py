"""The scenes of a job: each file is described once, read by any number of threads, and always closed."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rasterio.io import DatasetReader
from rasterio.windows import Window

from processing.raster.errors import BandNotFound, SceneUnreadable
from processing.raster.gdal import enter_gdal_environment, gdal_environment
from processing.raster.grids.grid import Grid
from processing.raster.grids.overlay import lay_over
from processing.raster.reading import OpenRasters, SceneReader, open_scene
from processing.raster.reading.raster_file import OpenRaster, RasterFile
from processing.raster.reading.readers import SharedReader
from processing.raster.reading.scene_reader import SceneWindow
from processing.raster.types import Config, PixelArray
from tests.raster.support.configs import LIMITS
from tests.raster.support.misbehaving import owner_of
from tests.raster.support.pairs import BEFORE, NORTH, WEST, Layer, Shot, ndvi, serve_shots, square, write_shots
from tests.raster.support.rasters import band, write_tif
from tests.raster.support.scenes import found, open_rasters
from tests.servers import RangeServer, StacServer, _RangeHandler

PATIENCE = 15  # seconds; a thread that waits longer has failed
BANDS = ("red", "nir", "swir16")
ON = square(600, 520)


def noise(on: Grid, seed: int, dtype: str = "uint16") -> PixelArray:
    highest = 12 if dtype == "uint8" else 10_000
    return np.random.default_rng(seed).integers(1, highest, on.shape).astype(dtype)


def scene_of_three_bands_and_a_mask() -> Shot:
    """Two bands on the scene's grid, one and the mask on that of 20 m."""
    coarse = square(300, 260, metres=20.0)
    layers = {
        "red": Layer(dn=noise(ON, 1), grid=ON),
        "nir": Layer(dn=noise(ON, 2), grid=ON),
        "swir16": Layer(dn=noise(coarse, 3), grid=coarse),
        "scl": Layer(dn=noise(coarse, 4, "uint8"), grid=coarse),
    }
    return Shot(layers=layers)


def file_of(folder: Path, asset: str) -> Path:
    (path,) = folder.rglob(f"{asset}.tif")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return write_shots(tmp_path / "scenes", scene_of_three_bands_and_a_mask())


def names_of(datasets: list[DatasetReader]) -> list[str]:
    return sorted(Path(dataset.name).stem for dataset in datasets)


# --- Opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bands", "with_mask", "described"),
    [
        (BANDS, True, ["nir", "red", "scl", "swir16"]),
        (BANDS, False, ["nir", "red", "swir16"]),
        (("nir", "swir16"), True, ["nir", "red", "scl", "swir16"]),
        (("red", "nir"), False, ["nir", "red"]),
    ],
)
def test_each_file_is_opened_once_and_the_red_band_and_the_mask_again_for_their_pixels(
    config: Config, datasets: list[DatasetReader], bands: tuple[str, ...], with_mask: bool, described: list[str]
) -> None:
    with open_rasters(config) as rasters:
        scene = open_scene(found(config), bands, rasters, with_mask=with_mask)
    assert names_of(datasets) == sorted([*described, "red", *(["scl"] if with_mask else [])])
    assert all(dataset.closed for dataset in datasets)
    assert list(scene.files) == list(scene.bands) == list(bands)
    assert (scene.mask is not None, scene.mask_file is not None) == (with_mask, with_mask)
    assert scene.grid == ON


class Meeting(RangeServer):
    """Answers the first request for each of `files` files only once all of them are there."""

    def __init__(self, folder: Path, files: int) -> None:
        super().__init__(folder)
        self.all_there, self.known = threading.Barrier(files), set[str]()
        self._server.RequestHandlerClass = _MeetingHandler


class _MeetingHandler(_RangeHandler):
    def _serve(self, *, with_body: bool) -> None:
        owner = owner_of(self, Meeting)
        if self.path not in owner.known:
            owner.known.add(self.path)
            owner.all_there.wait(PATIENCE)
        super()._serve(with_body=with_body)


def test_remote_files_are_opened_side_by_side(
    stac_server: StacServer, tmp_path: Path, datasets: list[DatasetReader]
) -> None:
    with Meeting(tmp_path / "files", 4) as server:
        config = serve_shots(stac_server, server, scene_of_three_bands_and_a_mask())
        with OpenRasters(config.network, config.limits, tmp_path) as rasters:
            open_scene(found(config), BANDS, rasters, with_mask=True)
        assert not server.all_there.broken
    assert len(datasets) == 6  # red and the mask once more, for their pixels
    assert all(dataset.closed for dataset in datasets)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("missing", ["red", "nir", "swir16", "scl"])
def test_file_that_cannot_be_opened_is_named_and_no_file_stays_open(
    config: Config, tmp_path: Path, datasets: list[DatasetReader], missing: str
) -> None:
    file_of(tmp_path, missing).unlink()
    with pytest.raises(SceneUnreadable) as error, open_rasters(config) as rasters:
        open_scene(found(config), ("nir", "swir16"), rasters, with_mask=True)
    assert error.value.details == {"scene_id": f"sentinel-2:{BEFORE}", "asset": missing}
    assert all(dataset.closed for dataset in datasets)


@pytest.mark.parametrize("missing", ["nir", "swir16", "scl"])
def test_remote_file_that_cannot_be_opened_is_named_and_no_file_stays_open(
    stac_server: StacServer, range_server: RangeServer, datasets: list[DatasetReader], tmp_path: Path, missing: str
) -> None:
    config = serve_shots(stac_server, range_server, scene_of_three_bands_and_a_mask())
    (path,) = range_server.folder.rglob(f"{missing}.tif")
    path.unlink()
    with pytest.raises(SceneUnreadable) as error, OpenRasters(config.network, config.limits, tmp_path) as rasters:
        open_scene(found(config), BANDS, rasters, with_mask=True)
    assert error.value.details["asset"] == missing
    assert all(dataset.closed for dataset in datasets)
    assert not list(tmp_path.glob("*.part"))


def test_missing_band_opens_nothing(config: Config, datasets: list[DatasetReader]) -> None:
    with pytest.raises(BandNotFound), open_rasters(config) as rasters:
        open_scene(found(config), ("red", "blue"), rasters, with_mask=True)
    assert datasets == []


# --- Reading --------------------------------------------------------------------------------------------------------

THREADS = 4
# Grids on which the scene's pixels lie, and others to which they are resampled or warped.
GRIDS = {
    "same": ON,
    "shifted": square(300, 280, west=WEST + 1000, north=NORTH - 500),
    "coarser": square(200, 150, metres=30.0),
    "another zone": square(500, 500, epsg=32611, west=10_000.0, north=4_190_000.0),
}


def reader_and_windows(target: Grid, config: Config, rasters: OpenRasters) -> tuple[SceneReader, list[Window]]:
    """Of the scene as the second of two, if the first lies on `target`."""
    scene = open_scene(found(config), BANDS, rasters, with_mask=True)
    overlay = lay_over([target, scene.grid])
    return SceneReader.open(scene, overlay, 1, rasters), list(overlay.grid.windows(64))


def arrays_of(read: SceneWindow) -> list[PixelArray]:
    assert read.clarity is not None
    return [*(read.dn[name] for name in BANDS), read.clarity]


@pytest.mark.parametrize("name", GRIDS)
def test_threads_read_the_same_as_one_thread(config: Config, datasets: list[DatasetReader], name: str) -> None:
    with gdal_environment(), open_rasters(config) as rasters:
        alone, windows = reader_and_windows(GRIDS[name], config, rasters)
        expected = [arrays_of(alone.read(window)) for window in windows]
    assert np.any(expected[0][0])
    with (
        open_rasters(config) as rasters,
        ThreadPoolExecutor(THREADS, initializer=enter_gdal_environment) as pool,
    ):
        reader, _ = reader_and_windows(GRIDS[name], config, rasters)
        for one, other in zip(expected, pool.map(reader.read, windows), strict=True):
            for mine, theirs in zip(one, arrays_of(other), strict=True):
                np.testing.assert_array_equal(mine, theirs)
    assert all(dataset.closed for dataset in datasets)


class MeetingReader:
    """Notes the open raster of each read, once as many threads are reading as `together` waits for."""

    located = False

    def __init__(self, raster: RasterFile, together: threading.Barrier) -> None:
        self.raster, self._together = raster, together
        self.used: list[OpenRaster] = []

    def read(self, opened: OpenRaster, window: Window) -> PixelArray:
        self.used.append(opened)
        self._together.wait(PATIENCE)
        return np.zeros((1, 1))

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        return iter(())


@pytest.mark.parametrize("threads", [1, 4])
def test_each_thread_borrows_an_open_raster_that_no_other_is_using(tmp_path: Path, threads: int) -> None:
    with gdal_environment():
        raster = RasterFile.describe(band(write_tif(tmp_path / "red.tif", noise(ON, 1))), LIMITS)
    reader = MeetingReader(raster, threading.Barrier(threads))
    with ExitStack() as opened, ThreadPoolExecutor(threads, initializer=enter_gdal_environment) as pool:
        shared = SharedReader(reader, opened)
        for _ in range(3):
            reader.used.clear()
            list(pool.map(shared.read, [Window(0, 0, 1, 1)] * threads))
            assert len(set(reader.used)) == threads
        rasters = set(reader.used)
    assert all(raster.dataset.closed for raster in rasters)


def test_open_rasters_are_used_again(config: Config, datasets: list[DatasetReader]) -> None:
    with gdal_environment(), open_rasters(config) as rasters:
        reader, windows = reader_and_windows(ON, config, rasters)
        described = len(datasets)
        for window in windows:
            reader.read(window)
    assert len(datasets) == described + len(BANDS) + 1


@pytest.mark.parametrize("threads", [1, 3])
def test_job_closes_all_rasters(config: Config, datasets: list[DatasetReader], tmp_path: Path, threads: int) -> None:
    ndvi(replace(config, threads=threads), tmp_path / "out", cloud_mask=True)
    assert {"nir", "red", "scl"} <= set(names_of(datasets))
    assert all(dataset.closed for dataset in datasets)


@pytest.mark.parametrize("asset", ["red", "nir", "scl"])
@pytest.mark.parametrize("threads", [1, 3])
def test_job_that_fails_in_the_middle_closes_all_rasters(
    config: Config, datasets: list[DatasetReader], tmp_path: Path, asset: str, threads: int
) -> None:
    path = file_of(tmp_path, asset)
    os.truncate(path, path.stat().st_size * 2 // 3)
    with pytest.raises(SceneUnreadable) as error:
        ndvi(replace(config, threads=threads), tmp_path / "out", cloud_mask=True)
    assert error.value.details["asset"] == asset
    assert all(dataset.closed for dataset in datasets)
