"""The encoded tiles of one level, on the disk until everything that stands before them in a COG is known."""

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedRandom
from pathlib import Path
from typing import Self

from isal import isal_zlib

_PIECE_BYTES = 1 << 20
_PUNCH_HOLE = 0x3  # of linux/falloc.h, without a change of the file's size


class TilesChanged(OSError):
    """The disk returns other bytes than were written."""


class TileFile:
    """Takes tiles one after the other, and returns them as one run of bytes. Raises OSError."""

    def __init__(self, path: Path, file: BufferedRandom) -> None:
        self._path, self._file = path, file
        self._crc = 0  # of everything written, to be compared with what is read back

    @classmethod
    def create(cls, path: Path) -> Self:
        return cls(path, path.open("w+b"))

    def append(self, *parts: bytes) -> None:
        for part in parts:
            self._crc = isal_zlib.crc32(part, self._crc)
            self._file.write(part)

    def pieces(self) -> Iterator[memoryview]:
        """Everything that was appended, once. A piece is valid until the one after the next is asked for."""
        self._file.seek(0)
        buffer, other = (memoryview(bytearray(_PIECE_BYTES)) for _ in range(2))
        crc = taken = 0
        while count := self._file.readinto(buffer):
            crc = isal_zlib.crc32(buffer[:count], crc)
            _free(self._file.fileno(), taken, count)
            taken += count
            yield buffer[:count]
            buffer, other = other, buffer
        if crc != self._crc:
            raise TilesChanged("the tiles on the disk are not those that were written")

    def remove(self) -> None:
        with suppress(OSError):  # a full disk refuses what is still in memory; the file is thrown away anyway
            self._file.close()
        self._path.unlink(missing_ok=True)


def _free(file: int, start: int, size: int) -> None:
    """Return that part of a file to the disk, if the system can: the final file is written in its place.

    So a COG needs room on the disk once, not twice, and its new pages are in memory that is warm.
    """
    with suppress(AttributeError):  # not on systems other than Linux
        off_t = ctypes.c_int64
        ctypes.CDLL(None).fallocate(file, _PUNCH_HOLE, off_t(start), off_t(size))
