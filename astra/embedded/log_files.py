"""Keeps the log files of child processes small."""

import shutil
from pathlib import Path

_MOST_BYTES = 10_000_000
_KEPT = 3


def rotate(log: Path, most_bytes: int = _MOST_BYTES, kept: int = _KEPT) -> None:
    """Move what a full log holds to `<name>.log.1`, the older ones one number further, and go on with an empty file.

    The file itself stays, because its process goes on writing to it; it was opened to append, so that it begins at the
    new end. A line that is written between copy and cut is lost.
    """
    if not log.exists() or log.stat().st_size <= most_bytes:
        return
    for number in range(kept, 1, -1):
        newer = _numbered(log, number - 1)
        if newer.exists():
            newer.replace(_numbered(log, number))
    shutil.copyfile(log, _numbered(log, 1))
    with log.open("r+b") as file:
        file.truncate(0)


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
