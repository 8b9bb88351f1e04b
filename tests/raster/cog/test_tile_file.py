"""Tiles on the disk until the file is laid out: the same bytes are returned, or an error is raised."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.raster.cog import tile_file
from processing.raster.cog.tile_file import TileFile, TilesChanged

TILES = [b"first", b"second", b"third"]


@given(st.lists(st.lists(st.binary(max_size=30), max_size=4), max_size=8), st.integers(1, 50))
def test_appended_tiles_are_returned_in_pieces(tiles: list[list[bytes]], piece: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile_file, "_PIECE_BYTES", piece)
        file = TileFile.create(Path(folder, "tiles"))
        for parts in tiles:
            file.append(*parts)
        pieces = [bytes(piece) for piece in file.pieces()]
        file.remove()
    assert b"".join(pieces) == b"".join(part for parts in tiles for part in parts)
    assert all(0 < len(each) <= piece for each in pieces)


def filled(path: Path) -> TileFile:
    """A file whose tiles are all on the disk."""
    file = TileFile.create(path)
    file.append(*TILES)
    file._file.flush()
    return file


def keeps_holes(folder: Path) -> bool:
    """Whether the file system can free a part of a file, as another program finds."""
    (folder / "probe").write_bytes(bytes(1 << 16))
    try:
        punched = subprocess.run(["fallocate", "-p", "-l", "65536", folder / "probe"], capture_output=True)
        return punched.returncode == 0
    except FileNotFoundError:
        return False
    finally:
        (folder / "probe").unlink()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(content)


def swap(path: Path) -> None:
    path.write_bytes(b"".join(reversed(TILES)))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [flip, swap, cut, lengthen, empty])
def test_changed_tiles_are_an_error_once_all_pieces_are_taken(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    file = filled(tmp_path / "tiles")
    harm(tmp_path / "tiles")
    with pytest.raises(TilesChanged):
        list(file.pieces())


def test_tiles_of_an_earlier_file_are_overwritten(tmp_path: Path) -> None:
    (tmp_path / "tiles").write_bytes(b"of an earlier job that was killed, and longer")
    assert b"".join(filled(tmp_path / "tiles").pieces()) == b"".join(TILES)


def test_room_on_the_disk_is_freed_as_pieces_are_taken(tmp_path: Path) -> None:
    if not keeps_holes(tmp_path):
        pytest.skip("this file system cannot free a part of a file")
    file = TileFile.create(tmp_path / "tiles")
    file.append(bytes(range(256)) * (4 << 12))
    taken = sum(len(piece) for piece in file.pieces())
    assert taken == (tmp_path / "tiles").stat().st_size == 4 << 20
    assert (tmp_path / "tiles").stat().st_blocks * 512 < taken / 4


@pytest.mark.parametrize("tiles", [[], TILES])
def test_removed_file_is_gone_and_takes_no_more_tiles(tmp_path: Path, tiles: list[bytes]) -> None:
    file = TileFile.create(tmp_path / "tiles")
    file.append(*tiles)
    file.remove()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        file.append(b"more")


def test_missing_file_is_removed_without_an_error(tmp_path: Path) -> None:
    file = TileFile.create(tmp_path / "tiles")
    (tmp_path / "tiles").unlink()
    file.remove()
    file.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_device_is_an_error_and_its_file_can_still_be_removed(tmp_path: Path) -> None:
    (tmp_path / "tiles").symlink_to("/dev/full")
    file = TileFile.create(tmp_path / "tiles")
    with pytest.raises(OSError, match="No space"):
        file.append(bytes(1 << 20))
    file.append(b"so little that it waits in memory")
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        TileFile.create(tmp_path / "gone" / "tiles")
