"""A raster that is opened for a thread has the DN of the described one, and is refused for the same faults."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.io import DatasetReader

from processing.raster.errors import RasterError, SceneUnreadable
from processing.raster.grids.grid import Grid
from processing.raster.reading.raster_file import RasterFile
from tests.raster.reading.malformed import shapes
from tests.raster.support.configs import LIMITS
from tests.raster.support.rasters import band, write_tif

pytestmark = pytest.mark.usefixtures("gdal")
ROOT = Path(__file__).parents[3]
DN = np.random.default_rng(8).integers(1, 10_000, (70, 90)).astype(np.uint16)
ALL = slice(0, 70), slice(0, 90)
LOSSLESS_JPEG_2000 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
FORMATS: list[tuple[str, dict[str, Any]]] = [("red.tif", {}), ("red.jp2", LOSSLESS_JPEG_2000)]


def described(path: Path) -> RasterFile:
    return RasterFile.describe(band(path), LIMITS)


@pytest.mark.parametrize("located", [False, True])
@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_raster_is_read_as_it_was_described(tmp_path: Path, name: str, options: dict[str, Any], located: bool) -> None:
    raster = described(write_tif(tmp_path / name, DN, **options))
    assert (raster.grid.shape, raster.dtype) == (DN.shape, DN.dtype)
    with raster.open(located=located) as opened, raster.open(located=located) as another:
        assert opened.dataset is not another.dataset
        np.testing.assert_array_equal(opened.dn(*ALL), DN)
        np.testing.assert_array_equal(another.dn(*ALL), DN)
    np.testing.assert_array_equal(raster.overview(1000), DN)


@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_crs_is_set_up_only_on_request(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    raster = described(write_tif(tmp_path / name, DN, **options))
    with raster.open() as opened:
        assert opened.dataset.crs is None
    with raster.open(located=True) as opened:
        assert Grid.of(opened.dataset) == raster.grid


def test_each_open_raster_is_closed_by_itself(tmp_path: Path) -> None:
    raster = described(write_tif(tmp_path / "red.tif", DN))
    with raster.open() as opened:
        with raster.open() as another:
            pass
        assert another.dataset.closed
        np.testing.assert_array_equal(opened.dn(*ALL), DN)
    assert opened.dataset.closed


@pytest.mark.parametrize("located", [False, True])
def test_file_that_became_worse_since_is_refused_and_not_left_open(
    tmp_path: Path, datasets: list[DatasetReader], located: bool
) -> None:
    good, worse = write_tif(tmp_path / "good.tif", DN), tmp_path / "worse"
    worse.mkdir()
    expected: dict[str, str | None] = {**shapes(worse)}  # the files without a place have another size, too
    expected |= {
        "sparse-100000": "SCENE_UNREADABLE",
        "sparse-40000": "SCENE_UNREADABLE",
    }  # no longer the file described
    path, outcomes = tmp_path / "red.tif", {}
    for name in expected:
        path.unlink(missing_ok=True)
        path.hardlink_to(good)
        raster = described(path)
        path.unlink()
        path.hardlink_to(worse / f"{name}.tif")
        outcomes[name] = code_of_opening(raster, located)
    assert outcomes == expected
    assert len(datasets) == 2 * len(expected)
    assert all(dataset.closed for dataset in datasets)


def code_of_opening(raster: RasterFile, located: bool) -> str | None:
    """The code of the error; None if the raster is opened."""
    try:
        with raster.open(located=located):
            return None
    except RasterError as error:
        return error.code


@pytest.mark.parametrize("located", [False, True])
@pytest.mark.parametrize("content", [None, b"", b"II*\0", b"<html><body>Please log in</body></html>"])
def test_file_that_is_no_longer_a_raster_is_unreadable(tmp_path: Path, content: bytes | None, located: bool) -> None:
    path = write_tif(tmp_path / "red.tif", DN)
    raster = described(path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SceneUnreadable) as error:
        raster.open(located=located)
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}


OPENS_AGAIN = textwrap.dedent(
    """
    import sys
    from pathlib import Path

    from processing.raster.reading.raster_file import RasterFile
    from tests.raster.support.configs import LIMITS
    from tests.raster.support.rasters import band

    with RasterFile.describe(band(Path(sys.argv[1])), LIMITS).open() as opened:
        print(opened.dn(slice(0, 1), slice(0, 1)).item())
    """
)


def test_raster_opened_without_its_place_raises_no_warning(tmp_path: Path) -> None:
    """In a process of its own, because pytest has its own filters of warnings."""
    path = write_tif(tmp_path / "red.tif", DN)
    command = [sys.executable, "-W", "always", "-c", OPENS_AGAIN, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(DN[0, 0])
    assert "NotGeoreferencedWarning" not in done.stderr


@pytest.mark.parametrize("shape", [(90, 90), (200, 300)])
def test_file_that_was_replaced_by_one_of_another_size_is_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    tiles: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    raster = described(write_tif(tmp_path / "red.tif", np.full((200, 200), 7, np.uint16), **tiles))
    (tmp_path / "red.tif").unlink()
    write_tif(tmp_path / "red.tif", np.full(shape, 7, np.uint16))
    with pytest.raises(SceneUnreadable, match="replaced"):
        raster.open()


@pytest.mark.parametrize(("name", "options"), FORMATS)
@pytest.mark.parametrize("another_name", ["B04.tif", "B04.jp2", "4711"])
def test_file_is_opened_by_its_first_bytes_whatever_its_name_says(
    tmp_path: Path, name: str, options: dict[str, Any], another_name: str
) -> None:
    raster = described(write_tif(tmp_path / name, DN, **options).rename(tmp_path / another_name))
    with raster.open() as opened:
        np.testing.assert_array_equal(opened.dn(*ALL), DN)
