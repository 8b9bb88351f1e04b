"""The encoded tiles of full resolution, on the disk until all that stands before them in a COG is known."""

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from isal import isal_zlib

_PIECE_BYTES = 1 << 20
_PUNCH_HOLE = 0x3  # of linux/falloc.h, without a change of the file's size


class TilesChanged(OSError):
    """The disk gives back something else than was written."""


class TileFile:
    """Takes tiles one after the other, and gives them back as one run of bytes. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        # Of all that went to the disk, so that nothing else is taken for it on the way back.
        self._crc = 0

    def append(self, *parts: bytes) -> None:
        for part in parts:
            self._crc = isal_zlib.crc32(part, self._crc)
            self._file.write(part)

    def pieces(self) -> Iterator[memoryview]:
        """All that was appended, once. A piece is good until the next one is asked for."""
        self._file.seek(0)
        buffer = memoryview(bytearray(_PIECE_BYTES))
        crc = taken = 0
        while count := self._file.readinto(buffer):
            crc = isal_zlib.crc32(buffer[:count], crc)
            _free(self._file.fileno(), taken, count)
            taken += count
            yield buffer[:count]
        if crc != self._crc:
            raise TilesChanged("the tiles on the disk are not those that were written")

    def remove(self) -> None:
        with suppress(OSError):  # a full disk refuses what has not left memory yet; it is thrown away anyway
            self._file.close()
        self._path.unlink(missing_ok=True)


def _free(file: int, start: int, size: int) -> None:
    """Give that part of a file back to the disk, where the system can: what follows is written in its place.

    So a COG needs room for itself once, not twice, and memory that is warm takes the new pages.
    """
    with suppress(AttributeError):  # systems other than Linux
        off_t = ctypes.c_int64
        ctypes.CDLL(None).fallocate(file, _PUNCH_HOLE, off_t(start), off_t(size))
