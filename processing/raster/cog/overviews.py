"""Halving rasters for overviews. Each function takes (rows, columns) and returns half of both, rounded up.

If a side is odd, its last row or column counts alone.
"""

from collections.abc import Callable

import numpy as np

from ..types import PixelArray, PixelFormat

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
    pairs = strip[0::2] + strip[1::2]  # rows first: they lie together in memory
    mean: PixelArray = pairs[:, 0::2] + pairs[:, 1::2]
    mean *= np.float32(0.25)
    if not np.isnan(mean.max(initial=-np.inf)):
        return mean
    valid = ~np.isnan(strip)
    if not valid.any():
        return mean
    total = sum(_quarters(np.where(valid, strip, np.float32(0))), start=np.float32(0))
    count = sum((quarter.astype(np.float32) for quarter in _quarters(valid)), start=np.float32(0))
    with np.errstate(invalid="ignore"):
        return np.divide(total, count, dtype=np.float32)


def _mean_of_integers(strip: PixelArray, nodata: int) -> PixelArray:
    """Rounded mean of the integers among four that are not nodata; nodata if all four are.

    Nodata must be the lowest or the highest value, so that it is no mean of other values.
    """
    valid = strip != nodata
    count = sum((quarter.astype(np.uint8) for quarter in _quarters(valid)), start=np.uint8(0))
    values = np.where(valid, strip, 0).astype(np.uint32)
    total = sum(_quarters(values), start=np.uint32(0))
    mean = (2 * total + count) // np.maximum(2 * count, 1)
    halved: PixelArray = np.where(count > 0, mean, nodata).astype(strip.dtype)
    return halved


def _mode(strip: PixelArray, nodata: int) -> PixelArray:
    """The class of most of four pixels, nodata aside; on a tie, the one that comes first."""
    a, b, c, d = _quarters(strip)
    differ = (a != b) | (a != c) | (a != d)
    mode = a.copy()
    if differ.any():
        mode[differ] = _mode_of_four(a[differ], b[differ], c[differ], d[differ], nodata)
    return mode


def _mode_of_four(a: PixelArray, b: PixelArray, c: PixelArray, d: PixelArray, nodata: int) -> PixelArray:
    """One that equals another has at least half of the votes: the first such wins, else the first with data."""
    mode = a.copy()
    for later in (b, c, d):
        np.copyto(mode, later, where=mode == nodata)
    np.copyto(mode, c, where=(c == d) & (c != nodata))
    np.copyto(mode, b, where=((b == c) | (b == d)) & (b != nodata))
    np.copyto(mode, a, where=((a == b) | (a == c) | (a == d)) & (a != nodata))
    return mode
