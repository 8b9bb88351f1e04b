"""From the numbers in a file to reflectance, and which of them are data."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..types import Band, BoolArray, Float32Array, PixelArray

SATURATED = np.uint16(np.iinfo(np.uint16).max)


def to_reflectance(numbers: PixelArray, band: Band) -> Float32Array:
    """DN x scale + offset as float32, clipped at 0, to float32's own precision.

    Written as (DN + offset / scale) / (1 / scale): where both are whole numbers, as they are for Sentinel-2, the sum is
    exact in float32 and the quotient is the float32 nearest to the true reflectance, while adding the offset to the
    product would lose the digits of dark pixels. Other numbers are worked out in float64.
    """
    shift, divisor = band.offset / band.scale, 1 / band.scale
    exact = abs(shift - round(shift)) < 1e-6 and abs(divisor - round(divisor)) < 1e-6
    if exact:
        shift, divisor = round(shift), round(divisor)
    shifted: npt.NDArray[np.floating[Any]] = numbers.astype(np.float32 if exact else np.float64)
    shifted += shift
    if not shifted.min(initial=0) >= 0:  # also where there is NaN
        # Twice what is above 0: numpy takes three times as long for the maximum of an array and a number.
        shifted += np.abs(shifted)
        divisor *= 2
    shifted /= divisor
    return shifted.astype(np.float32, copy=False)


def has_gaps(numbers: PixelArray, nodata: float) -> bool:
    """Whether some numbers may not be `valid_pixels`, as far as the lowest and the highest tell: False is certain."""
    lowest, highest = numbers.min(), numbers.max()
    return bool(lowest <= nodata <= highest) or not valid_pixels(np.array([lowest, highest]), nodata).all()


def valid_pixels(numbers: PixelArray, nodata: float) -> BoolArray:
    """Where the numbers are data: not nodata, not saturated, not NaN."""
    # Compared in the numbers' own type, where it can hold nodata: that is five times faster.
    alike = numbers.dtype.type(nodata) if np.isfinite(nodata) else nodata
    valid: BoolArray = numbers != (alike if alike == nodata else nodata)
    if numbers.dtype == np.uint16:
        valid &= numbers != SATURATED
    elif numbers.dtype.kind == "f":
        valid &= np.isfinite(numbers)
    return valid
