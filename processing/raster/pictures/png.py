"""PNG files, written fast: GDAL takes five times as long for files that are a tenth smaller.

Source: W3C, Portable Network Graphics (PNG) Specification (Third Edition).
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOR, _PALETTE = 2, 3  # colour types
_UNFILTERED, _LESS_THE_PIXEL_ABOVE = 0, 2  # filter types
_LEVEL = 1

Colors = Sequence[tuple[int, int, int, int]]


def write_indexed(path: Path, pixels: npt.NDArray[np.uint8], palette: Colors) -> None:
    """Write (rows, columns) of indices into a palette of RGBA. Raises OSError."""
    colors = np.array(palette, dtype=np.uint8)
    chunks = [(b"PLTE", colors[:, :3].tobytes()), (b"tRNS", colors[:, 3].tobytes())]
    _write(path, pixels[:, :, np.newaxis], _PALETTE, _UNFILTERED, chunks)


def write_rgb(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write (3, rows, columns). Black is transparent. Raises OSError."""
    differences = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    differences[1:] -= differences[:-1].copy()
    _write(path, differences, _TRUE_COLOR, _LESS_THE_PIXEL_ABOVE, [(b"tRNS", bytes(6))])


def _write(
    path: Path,
    filtered: npt.NDArray[np.uint8],
    color_type: int,
    filter_type: int,
    chunks: Sequence[tuple[bytes, bytes]],
) -> None:
    rows, columns, samples = filtered.shape
    lines = np.empty((rows, 1 + columns * samples), dtype=np.uint8)
    lines[:, 0] = filter_type
    lines[:, 1:] = filtered.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, color_type, 0, 0, 0)
    data = isal_zlib.compress(lines.data, _LEVEL)
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        for name, content in ((b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")):
            file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc32(name + content)))
