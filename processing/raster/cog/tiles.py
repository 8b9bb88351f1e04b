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
    """Per row all highest bytes, then all next ones, and so on; then each byte less its neighbour."""
    rows, columns = tile.shape
    size = tile.dtype.itemsize
    planes, differences = _scratch(rows, size, columns)
    little_endian = tile.view(np.uint8).reshape(rows, columns, size)
    for plane in range(size):
        planes[:, plane] = little_endian[:, :, size - 1 - plane]
    flat = planes.reshape(rows, size * columns)
    differences[:, 0] = flat[:, 0]
    np.subtract(flat[:, 1:], flat[:, :-1], out=differences[:, 1:])
    return differences


_local = threading.local()


def _scratch(rows: int, size: int, columns: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Two arrays that each thread keeps: allocating a megabyte costs more than the arithmetic."""
    shape = rows, size, columns
    if getattr(_local, "shape", None) != shape:
        _local.shape = shape
        _local.arrays = np.empty(shape, np.uint8), np.empty((rows, size * columns), np.uint8)
    arrays: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] = _local.arrays
    return arrays


def _compressor(compression: Compression) -> Callable[[Any], bytes]:
    if compression == "deflate":
        return _deflate
    if getattr(_local, "zstd", None) is None:
        _local.zstd = zstandard.ZstdCompressor(level=_LEVEL)
    compress: Callable[[Any], bytes] = _local.zstd.compress
    return compress


def _deflate(data: Any) -> bytes:
    return bytes(isal_zlib.compress(data, _LEVEL))
