"""One tile of a GeoTIFF as bytes: prediction, then compression. Both release the interpreter's lock.

Source of the predictors: TIFF 6.0, section 14 (horizontal differences), and Adobe Photoshop TIFF Technical Note 3
(floating point).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from isal import isal_zlib

from ..types import FULL_MANTISSA, Compression, PixelArray

NO_PREDICTOR, HORIZONTAL, FLOATING_POINT = 1, 2, 3

# Higher levels take two to ten times as long and save about a hundredth on measured reflectance.
_LEVEL = 1


@dataclass(frozen=True, kw_only=True)
class TileCodec:
    """How the tiles of a file are encoded. `tiff_code` and `predictor` are values of its tags.

    With fewer `mantissa_bits` than float32 has, floats are rounded: normal ones by at most 2 ** -(bits + 1) of
    themselves.
    """

    compression: Compression
    predictor: int
    mantissa_bits: int = FULL_MANTISSA

    @property
    def tiff_code(self) -> int:
        return {"deflate": 8, "zstd": 50000}[self.compression]

    def encode(self, tile: PixelArray) -> bytes:
        """The bytes of a whole tile: (rows, columns). Safe to call from several threads."""
        if self.mantissa_bits < FULL_MANTISSA:
            tile = _rounded(tile, self.mantissa_bits)
        if self.predictor == HORIZONTAL:
            tile = _horizontal_differences(tile)
        elif self.predictor == FLOATING_POINT:
            tile = _byte_plane_differences(tile)
        return _compressor(self.compression)(np.ascontiguousarray(tile).data)


def predictor_for(dtype: str, *, has_palette: bool) -> int:
    """The predictor that suits such pixels. Palette indices and ragged classes are smaller without one."""
    if has_palette or dtype == "uint8":
        return NO_PREDICTOR
    return FLOATING_POINT if np.dtype(dtype).kind == "f" else HORIZONTAL


def _rounded(tile: PixelArray, mantissa_bits: int) -> PixelArray:
    """float32 with the last bits 0, rounded half away from zero. numpy's NaN stays the same."""
    dropped = FULL_MANTISSA - mantissa_bits
    bits = tile.view(np.uint32) + np.uint32(1 << (dropped - 1))
    bits &= np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return bits.view(np.float32)


def _horizontal_differences(tile: PixelArray) -> PixelArray:
    differences = np.empty_like(tile)
    differences[:, 0] = tile[:, 0]
    np.subtract(tile[:, 1:], tile[:, :-1], out=differences[:, 1:])
    return differences


def _byte_plane_differences(tile: PixelArray) -> npt.NDArray[np.uint8]:
    """Of float32: per row all highest bytes, then all next ones, and so on; then each byte less its neighbour."""
    rows, columns = tile.shape
    scratch = _Scratch.of(rows, columns)
    bits = tile.view("<u4")
    for first in range(0, rows, scratch.rows):
        scratch.split(bits[first : first + scratch.rows], scratch.differences[first : first + scratch.rows])
    return scratch.differences


class _Scratch:
    """Arrays that each thread keeps: allocating a megabyte costs more than the arithmetic.

    They hold some rows of a tile, so that they stay in the processor's cache; all but `differences`, which is a tile's.
    """

    rows = 128

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = rows, columns
        self.differences = np.empty((rows, 4 * columns), np.uint8)
        self._planes = np.empty((self.rows, 4, columns), np.uint8)
        self._words = np.empty((self.rows, columns), np.uint32)
        self._halves = np.empty((self.rows, columns), np.uint16)

    @classmethod
    def of(cls, rows: int, columns: int) -> "_Scratch":
        """That of this thread, for tiles of that shape."""
        if getattr(_local, "scratch", None) is None or _local.scratch.shape != (rows, columns):
            _local.scratch = cls(rows, columns)
        scratch: _Scratch = _local.scratch
        return scratch

    def split(self, bits: npt.NDArray[np.uint32], differences: npt.NDArray[np.uint8]) -> None:
        """Rows of numbers to the differences of their bytes. Casts drop high bytes faster than views pick bytes."""
        count = len(bits)
        planes, words, halves = self._planes[:count], self._words[:count], self._halves[:count]
        np.right_shift(bits, 16, out=words)
        for plane, pair in ((0, words), (2, bits)):
            np.copyto(halves, pair, casting="unsafe")
            planes[:, plane + 1] = halves
            np.right_shift(halves, 8, out=halves)
            planes[:, plane] = halves
        flat = planes.reshape(-1)
        np.subtract(flat[1:], flat[:-1], out=differences.reshape(-1)[1:])
        differences[:, 0] = planes[:, 0, 0]


_local = threading.local()


def _compressor(compression: Compression) -> Callable[[Any], bytes]:
    if compression == "deflate":
        return _deflate
    if getattr(_local, "zstd", None) is None:
        _local.zstd = zstandard.ZstdCompressor(level=_LEVEL)
    compress: Callable[[Any], bytes] = _local.zstd.compress
    return compress


def _deflate(data: Any) -> bytes:
    return bytes(isal_zlib.compress(data, _LEVEL))
