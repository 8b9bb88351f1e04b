"""Writing a COG: no file unless it is whole, and every failure is named."""

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from tifffile import TiffFile

from processing.raster.cog import CogWriter, ifd, is_cog
from processing.raster.errors import ResultNotWritten, Stopped
from processing.raster.gdal import gdal_environment
from tests.raster.support.cogs import FORMATS, TAGS, pixels_for, write_cog
from tests.raster.support.rasters import grid, read_tif, write_tif


def test_new_result_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    on, layout, path = grid(30, 20), FORMATS["uint16"], tmp_path / "result.tif"
    path.write_bytes(b"older")
    pixels = pixels_for(layout, on)
    write_cog(path, on, layout, pixels)
    np.testing.assert_array_equal(read_tif(path), pixels)


def test_no_file_stays_if_the_body_raises(tmp_path: Path) -> None:
    def begin_and_stop() -> None:
        on, layout = grid(600, 600), FORMATS["uint16"]
        with gdal_environment(), CogWriter(tmp_path / "result.tif", on, layout) as writer:
            writer.write(Window(0, 0, 600, 600), pixels_for(layout, on))
            raise Stopped

    with pytest.raises(Stopped):
        begin_and_stop()
    assert list(tmp_path.iterdir()) == []


def test_no_file_stays_if_finish_is_never_called(tmp_path: Path) -> None:
    on, layout = grid(600, 600), FORMATS["uint16"]
    with gdal_environment(), CogWriter(tmp_path / "result.tif", on, layout) as writer:
        writer.write(Window(0, 0, 600, 600), pixels_for(layout, on))
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_file_with_a_window_missing_never_appears(tmp_path: Path, missing: int) -> None:
    on, layout = grid(2000, 1500), FORMATS["uint16"]
    windows = list(on.windows(1024))
    del windows[missing]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on), "deflate", windows)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_a_result_that_was_not_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ResultNotWritten),
        gdal_environment(),
        CogWriter(tmp_path / "gone" / "result.tif", grid(5, 5), FORMATS["uint16"]),
    ):
        raise AssertionError("the body must not run")
    assert list(tmp_path.iterdir()) == []


def test_result_that_cannot_be_put_in_place_is_an_error_and_no_file_stays(tmp_path: Path) -> None:
    on, layout, path = grid(5, 5), FORMATS["uint16"], tmp_path / "result.tif"
    path.mkdir()
    with pytest.raises(ResultNotWritten):
        write_cog(path, on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_is_not_laid_out_as_a_cog_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ifd, "GHOST_AREA", b"")
    on, layout = grid(600, 500), FORMATS["uint16"]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


def test_cog_is_distinguished_from_other_files(tmp_path: Path) -> None:
    on, layout = grid(600, 500), FORMATS["uint16"]
    pixels = pixels_for(layout, on)
    plain = write_tif(tmp_path / "plain.tif", pixels, on)
    others: dict[str, dict[str, Any]] = {
        "whole": {},
        "no_overviews": {"overviews": "NONE"},
        "large_tiles": {"blocksize": 1024},
    }
    for name, options in others.items():
        copy_raster(plain, tmp_path / f"{name}.tif", driver="COG", **options)
    write_cog(tmp_path / "ours.tif", on, layout, pixels)
    found = {path.stem: is_cog(path) for path in tmp_path.iterdir()}
    assert found == {"ours": True, "whole": True, "plain": False, "no_overviews": False, "large_tiles": False}


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def cut_off_its_last_byte(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def spoil_pixels(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        flipped = bytes(byte ^ 0xFF for byte in file.read(64))
        file.seek(-64, os.SEEK_CUR)
        file.write(flipped)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more" * 10_000)  # so much that what waits in memory does not overwrite it


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("harm", [cut_short, cut_off_its_last_byte, empty, spoil_pixels, lengthen])
def test_file_whose_tiles_were_changed_on_the_disk_never_appears(
    tmp_path: Path, harm: Callable[[Path], None], level: int
) -> None:
    on, layout = grid(1100, 900), FORMATS["uint16"]
    pixels = pixels_for(layout, on)

    def write_harm_and_finish() -> None:
        with gdal_environment(), CogWriter(tmp_path / "result.tif", on, layout, TAGS) as writer:
            for window in writer.windows():
                writer.write(window, pixels[window.toslices()])
            harm(tmp_path / f".result.tif.{level}.tiles")
            writer.write_overviews()
            writer.finish()

    with pytest.raises(ResultNotWritten):
        write_harm_and_finish()
    assert list(tmp_path.iterdir()) == []


def put_full_device_at(path: Path) -> None:
    """Writing to `path` finds the disk full from now on."""
    path.symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("ending", ["0.tiles", "1.tiles", "part"])
@pytest.mark.parametrize("name", ["float32", "classes"])
def test_full_device_is_an_error_and_no_file_stays(tmp_path: Path, ending: str, name: str) -> None:
    put_full_device_at(tmp_path / f".result.tif.{ending}")
    on, layout = grid(700, 600), FORMATS[name]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_device_does_not_hide_the_error_of_the_body(tmp_path: Path) -> None:
    # So few bytes wait in memory until the file is closed.
    put_full_device_at(tmp_path / ".result.tif.0.tiles")
    on, layout = grid(20, 10), FORMATS["uint16"]

    def begin_and_stop() -> None:
        with CogWriter(tmp_path / "result.tif", on, layout) as writer:
            writer.write(Window(0, 0, 20, 10), np.full(on.shape, 7, np.uint16))
            raise Stopped

    with pytest.raises(Stopped):
        begin_and_stop()
    assert list(tmp_path.iterdir()) == []


class FailingFile:
    """An open file whose `method` fails after `calls` calls."""

    def __init__(self, file: Any, method: str, calls: int) -> None:
        self._file, self._method, self._calls = file, method, calls

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._file, name)

    def __enter__(self) -> "FailingFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _fail(self, *values: Any) -> Any:
        self._calls -= 1
        if self._calls < 0:
            raise OSError(errno.EIO, "Input/output error")
        return getattr(self._file, self._method)(*values)


@pytest.mark.parametrize(
    ("ending", "method", "calls"),
    [
        (".tiles", "write", 0),
        (".tiles", "write", 3),
        (".tiles", "seek", 0),
        (".tiles", "readinto", 0),
        (".part", "write", 0),
        (".part", "write", 1),
        (".part", "write", 3),
    ],
)
def test_failing_disk_is_an_error_and_no_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, method: str, calls: int
) -> None:
    open_file = Path.open

    def open_failing(path: Path, mode: str = "r", *options: Any, **named: Any) -> Any:
        file = open_file(path, mode, *options, **named)
        return FailingFile(file, method, calls) if path.name.endswith(ending) else file

    monkeypatch.setattr(Path, "open", open_failing)
    on, layout = grid(1100, 900), FORMATS["uint16"]
    with pytest.raises(ResultNotWritten):
        write_cog(tmp_path / "result.tif", on, layout, pixels_for(layout, on))
    assert list(tmp_path.iterdir()) == []


WRITES_UNDER_A_LIMIT = textwrap.dedent(
    """
    import resource, signal, sys
    from pathlib import Path

    import numpy as np

    from processing.raster.cog import CogWriter
    from processing.raster.errors import ResultNotWritten
    from processing.raster.types import PixelFormat
    from tests.raster.support.rasters import grid

    path, highest, tag_bytes, limit = Path(sys.argv[1]), *map(int, sys.argv[2:])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    on = grid(1024, 1024)
    pixels = np.random.default_rng(2).integers(1, highest, on.shape, endpoint=True).astype(np.uint8)
    layout = PixelFormat(dtype="uint8", nodata=0, overview_resampling="average")
    try:
        with CogWriter(path, on, layout, {"ASTRA": "x" * tag_bytes}) as writer:
            for window in writer.windows():
                writer.write(window, pixels[window.toslices()])
            writer.write_overviews()
            writer.finish()
    except ResultNotWritten:
        sys.exit(3)
    """
)
ENOUGH = 8 << 20
# Its tiles take 1 MiB and, with the overview, 1.3 MiB in the final file.
NOISE = 254, 0
# Its tiles take few bytes, so a limit can let them pass and hit each part of the final file.
PLAIN_WITH_LONG_TAGS = 1, 100_000


def run_under_a_limit(folder: Path, raster: tuple[int, int], limit: int) -> int:
    command = [sys.executable, "-c", WRITES_UNDER_A_LIMIT, folder / "result.tif", *raster, limit]
    done = subprocess.run([str(part) for part in command], check=False, timeout=60, cwd=Path(__file__).parents[3])
    return done.returncode


@pytest.mark.parametrize("limit", [0, 1000, 300_000, 1_000_000, 1_100_000, 1_250_000])
def test_full_disk_is_an_error_and_no_file_stays(tmp_path: Path, limit: int) -> None:
    assert run_under_a_limit(tmp_path, NOISE, limit) == 3
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_up_in_any_part_of_the_final_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "result.tif"
    assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, ENOUGH) == 0
    with TiffFile(path) as file:
        full, overview = (page.dataoffsets[0] for page in file.pages)
    size = path.stat().st_size
    path.unlink()
    assert size - full < overview // 2 < overview < full < size
    for limit in (overview // 2, (overview + full) // 2, (full + size) // 2, size - 1):
        assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, limit) == 3
        assert list(tmp_path.iterdir()) == []
    assert run_under_a_limit(tmp_path, PLAIN_WITH_LONG_TAGS, size) == 0


def test_same_file_is_written_if_there_is_room(tmp_path: Path) -> None:
    assert run_under_a_limit(tmp_path, NOISE, ENOUGH) == 0
    assert read_tif(tmp_path / "result.tif").shape == (1024, 1024)
    assert (tmp_path / "result.tif").stat().st_size > 1_250_000
