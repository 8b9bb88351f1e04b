"""A raster that is opened again: the same numbers on the same grid, and the same refusals."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from rasterio.io import DatasetReader

from processing.raster.errors import RasterError, SceneUnreadable
from processing.raster.grids.grid import Grid
from processing.raster.reading.raster_file import RasterFile
from processing.raster.types import Config
from tests.raster.support.malformed import shapes
from tests.raster.support.rasters import band, write_tif

pytestmark = pytest.mark.usefixtures("gdal")
ROOT = Path(__file__).parents[3]
NUMBERS = np.random.default_rng(8).integers(1, 10_000, (70, 90)).astype(np.uint16)
ALL = slice(0, 70), slice(0, 90)
LOSSLESS_JPEG_2000 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}


@pytest.mark.parametrize("located", [False, True])
@pytest.mark.parametrize(("name", "options"), [("red.tif", {}), ("red.jp2", LOSSLESS_JPEG_2000)])
def test_raster_opened_again_is_the_same(
    tmp_path: Path, config: Config, name: str, options: dict[str, str], located: bool
) -> None:
    asked = band(write_tif(tmp_path / name, NUMBERS, **options))
    with RasterFile(asked, config) as file, file.again(located=located) as other:
        assert other.dataset is not file.dataset
        assert (other.grid, other.block_shape, other.dtype) == (file.grid, file.block_shape, file.dtype)
        assert other.wanted == asked
        np.testing.assert_array_equal(other.numbers(*ALL), NUMBERS)
        np.testing.assert_array_equal(other.overview(1000), NUMBERS)


@pytest.mark.parametrize(("name", "options"), [("red.tif", {}), ("red.jp2", LOSSLESS_JPEG_2000)])
def test_only_a_raster_that_is_to_be_located_is_asked_where_it_lies(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, str]
) -> None:
    with RasterFile(band(write_tif(tmp_path / name, NUMBERS, **options)), config) as file:
        asked: list[DatasetReader] = []
        monkeypatch.setattr(Grid, "of", asked.append)
        with file.again(located=False) as other:
            assert (other.dataset.crs, asked) == (None, [])
        monkeypatch.undo()
        with file.again(located=True) as other:
            assert (other.dataset.crs, other.dataset.transform) == (file.grid.crs, file.grid.transform)


def test_again_of_again_is_the_same_too(tmp_path: Path, config: Config) -> None:
    with (
        RasterFile(band(write_tif(tmp_path / "red.tif", NUMBERS)), config) as file,
        file.again(located=False) as other,
        other.again(located=False) as another,
        other.again(located=True) as located,
    ):
        assert file.grid == another.grid == located.grid
        np.testing.assert_array_equal(another.numbers(*ALL), NUMBERS)


@pytest.mark.parametrize("located", [False, True])
def test_each_is_closed_for_itself(tmp_path: Path, config: Config, located: bool) -> None:
    with RasterFile(band(write_tif(tmp_path / "red.tif", NUMBERS)), config) as file:
        with file.again(located=located):
            pass
        np.testing.assert_array_equal(file.numbers(*ALL), NUMBERS)
        other = file.again(located=located)
    with other:
        np.testing.assert_array_equal(other.numbers(*ALL), NUMBERS)


@pytest.mark.parametrize("located", [False, True])
def test_file_that_became_worse_since_is_refused_and_not_left_open(
    tmp_path: Path, config: Config, datasets: list[DatasetReader], located: bool
) -> None:
    good, worse = write_tif(tmp_path / "good.tif", NUMBERS), tmp_path / "worse"
    worse.mkdir()
    expected: dict[str, str | None] = {**shapes(worse)}  # what says nothing of its place has another size too
    path, outcomes = tmp_path / "red.tif", {}
    for name in expected:
        path.unlink(missing_ok=True)
        path.hardlink_to(good)
        with RasterFile(band(path), config) as file:
            path.unlink()
            path.hardlink_to(worse / f"{name}.tif")
            outcomes[name] = code_of_opening_again(file, located)
    assert outcomes == expected
    assert len(datasets) == 2 * len(expected)
    assert all(dataset.closed for dataset in datasets)


def code_of_opening_again(file: RasterFile, located: bool) -> str | None:
    """Of the error in which it ends; None where it is opened."""
    try:
        with file.again(located=located):
            return None
    except RasterError as error:
        return error.code


@pytest.mark.parametrize("located", [False, True])
@pytest.mark.parametrize("content", [None, b"", b"II*\0", b"<html><body>Please log in</body></html>"])
def test_file_that_is_no_raster_any_more_is_unreadable(
    tmp_path: Path, config: Config, content: bytes | None, located: bool
) -> None:
    path = write_tif(tmp_path / "red.tif", NUMBERS)
    with RasterFile(band(path), config) as file:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SceneUnreadable) as error:
            file.again(located=located)
    assert error.value.details == {"scene_id": "sentinel-2:a-scene", "asset": "red"}


OPENS_AGAIN = textwrap.dedent(
    """
    import sys
    from pathlib import Path

    from processing.raster.reading.raster_file import RasterFile
    from processing.raster.types import Config
    from tests.raster.support.rasters import band

    with RasterFile(band(Path(sys.argv[1])), Config(sandbox_dir=Path("unused"))) as file:
        with file.again(located=False) as other:
            print(other.numbers(slice(0, 1), slice(0, 1)).item())
    """
)


def test_nobody_is_warned_of_what_was_not_asked_for(tmp_path: Path) -> None:
    """In a process of its own, as pytest has warnings its own way."""
    path = write_tif(tmp_path / "red.tif", NUMBERS)
    command = [sys.executable, "-W", "always", "-c", OPENS_AGAIN, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(NUMBERS[0, 0])
    assert "NotGeoreferencedWarning" not in done.stderr


@pytest.mark.parametrize("shape", [(90, 90), (200, 300)])
def test_file_that_was_replaced_by_one_of_another_size_is_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    asked = band(
        write_tif(tmp_path / "red.tif", np.full((200, 200), 7, np.uint16), tiled=True, blockxsize=64, blockysize=64)
    )
    with RasterFile(asked, Config(sandbox_dir=tmp_path)) as file:
        (tmp_path / "red.tif").unlink()
        write_tif(tmp_path / "red.tif", np.full(shape, 7, np.uint16))
        with pytest.raises(SceneUnreadable, match="replaced"):
            file.again(located=False)
