"""A file whose checksum is known once it is written, as nobody has to read it again."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..threads import kept_threads


class HashedFile:
    """Takes pieces one after the other. The file is made with the first of them. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def write(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Each piece is hashed by another thread, which may be one piece behind. Afterwards all of them can be read."""
        if self._file is None:
            self._file = self.path.open("wb")
        with kept_threads(1) as hashing:
            before = hashing.submit(self._digest.update, b"")
            for piece in pieces:
                hashed = hashing.submit(self._digest.update, piece)
                self._file.write(piece)
                before.result()
                before = hashed
            before.result()
        self._file.flush()

    def close(self) -> tuple[str, int]:
        """The SHA-256 and the size of the file, which is complete."""
        if self._file is not None:
            self._file.close()
        return self._digest.hexdigest(), self.path.stat().st_size

    def remove(self) -> None:
        """Nothing stays, unless the file has another name by now."""
        with suppress(OSError):  # a full disk refuses what is still in memory; the file is thrown away anyway
            if self._file is not None:
                self._file.close()
        self.path.unlink(missing_ok=True)
