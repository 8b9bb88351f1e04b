"""Halving rasters for overviews. Each function takes (rows, columns) and returns half of both, rounded up.

If a side is odd, its last row or column counts alone.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from ..types import BoolArray, PixelArray, PixelFormat

Halve = Callable[[PixelArray], PixelArray]

# Bytes from the top of a strip to its bottom: rows times bytes of a pixel. A strip fits into the processor's cache.
_STRIP_HEIGHT = 256


def halving_for(pixel_format: PixelFormat) -> Halve:
    """The mode for classes; the mean of the valid pixels for floats and for indices that are steps of one scale."""
    if pixel_format.overview_resampling == "mode":
        return lambda pixels: _in_strips(pixels, lambda strip: _mode(strip, int(pixel_format.nodata)))
    if pixel_format.dtype == "float32":
        return lambda pixels: _in_strips(pixels, _mean_of_floats)
    return lambda pixels: _in_strips(pixels, lambda strip: _mean_of_integers(strip, int(pixel_format.nodata)))


def _in_strips(pixels: PixelArray, halve: Halve) -> PixelArray:
    rows, columns = pixels.shape
    halved = np.empty(((rows + 1) // 2, (columns + 1) // 2), dtype=pixels.dtype)
    at_once = _STRIP_HEIGHT // pixels.itemsize
    for row in range(0, rows, at_once):
        strip = _even(pixels[row : row + at_once])
        halved[row // 2 : (row + at_once) // 2] = halve(strip)
    return halved


def _even(strip: PixelArray) -> PixelArray:
    """With the last row and column repeated if their number is odd, which changes no mean and no mode."""
    rows, columns = strip.shape
    if rows % 2 == 0 and columns % 2 == 0:
        return strip
    return np.pad(strip, ((0, rows % 2), (0, columns % 2)), mode="edge")


def _quarters(strip: PixelArray) -> tuple[PixelArray, PixelArray, PixelArray, PixelArray]:
    return strip[0::2, 0::2], strip[0::2, 1::2], strip[1::2, 0::2], strip[1::2, 1::2]


def _mean_of_floats(strip: PixelArray) -> PixelArray:
    """Mean of the floats among four that are not NaN; NaN if all four are."""
    mean = _sum_of_four(strip)
    mean *= np.float32(0.25)
    if not np.isnan(mean.max(initial=-np.inf)):
        return mean
    valid = strip == strip  # NaN alone is not equal to itself; half the time of np.isnan and its inverse
    if not valid.any():
        return mean
    a, b, c, d = _quarters(_0_unless(valid, strip))
    total: PixelArray = a + b
    total += c
    total += d
    count = _sum_of_four(valid.view(np.uint8)).astype(np.float32)
    with np.errstate(invalid="ignore"):
        return np.divide(total, count, out=total)


def _0_unless(valid: BoolArray, floats: PixelArray) -> PixelArray:
    """The floats, and 0 where they are not valid. As np.where, but as fast for ragged gaps as for none."""
    every_bit = np.negative(valid.astype(np.int32))
    every_bit &= floats.view(np.int32)
    return every_bit.view(np.float32)


def _mean_of_integers(strip: PixelArray, nodata: int) -> PixelArray:
    """Rounded mean of the integers among four that are not nodata; nodata if all four are.

    Nodata must be the lowest or the highest value, so that it is no mean of other values.
    """
    valid = strip != strip.dtype.type(nodata)
    count = _sum_of_four(valid.view(np.uint8))
    values = strip if nodata == 0 else np.where(valid, strip, strip.dtype.type(0))
    total = _sum_of_four(values, np.uint16 if strip.itemsize == 1 else np.uint32)
    # (2 total + count) / (2 count) is the mean plus a half. float32 is exact enough for 16 bits, and divides fast.
    total += total
    total += count
    twice = np.maximum(count + count, np.uint8(1))
    halved: PixelArray = np.divide(total, twice, dtype=np.float32).astype(strip.dtype)
    halved[count == 0] = nodata
    return halved


def _sum_of_four(strip: PixelArray, dtype: npt.DTypeLike | None = None) -> PixelArray:
    pairs = np.add(strip[0::2], strip[1::2], dtype=dtype)  # rows first: they lie together in memory
    total: PixelArray = pairs[:, 0::2] + pairs[:, 1::2]
    return total


def _mode(strip: PixelArray, nodata: int) -> PixelArray:
    """The class of most of four pixels, nodata aside; on a tie, the one that comes first."""
    upper, lower = (_Pairs.of(strip[row::2]) for row in (0, 1))
    mode = upper.left
    differ = (upper.both != lower.both) | (mode != upper.right)
    if differ.any():
        above, below = upper.where(differ), lower.where(differ)
        mode[differ] = _mode_of_four(above.left, above.right, below.left, below.right, nodata)
    return mode


class _Pairs(NamedTuple):
    """Neighbours in a row as one number, the left one in its low bits: two are compared at once, and copied fast."""

    both: PixelArray
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, rows: PixelArray) -> Self:
        return cls(rows.view(f"<u{2 * rows.itemsize}"), rows.dtype)

    @property
    def left(self) -> PixelArray:
        return self.both.astype(self.dtype)

    @property
    def right(self) -> PixelArray:
        return (self.both >> np.uint8(8 * self.dtype.itemsize)).astype(self.dtype)

    def where(self, chosen: BoolArray) -> Self:
        return self._replace(both=self.both[chosen])


def _mode_of_four(a: PixelArray, b: PixelArray, c: PixelArray, d: PixelArray, nodata: int) -> PixelArray:
    """One that equals another has at least half of the votes: the first such wins, else the first with data."""
    mode = a.copy()
    for later in (b, c, d):
        np.copyto(mode, later, where=mode == nodata)
    np.copyto(mode, c, where=(c == d) & (c != nodata))
    np.copyto(mode, b, where=((b == c) | (b == d)) & (b != nodata))
    np.copyto(mode, a, where=((a == b) | (a == c) | (a == d)) & (a != nodata))
    return mode
