"""What the masks that come with scenes call invalid.

Sources: ESA, Sentinel-2 L2A scene classification (SCL); USGS, Landsat Collection 2 QA_PIXEL.
"""

from functools import reduce

import numpy as np

from ..types import BoolArray, MaskKind, PixelArray

# No data, saturated or defective, cloud shadow, cloud medium, cloud high, thin cirrus, snow. Dark areas (2) and
# unclassified pixels (7) stay: too much good land is among them.
_INVALID_SCL = (0, 1, 3, 8, 9, 10, 11)

# Fill, dilated cloud, cirrus, cloud, cloud shadow, snow.
_INVALID_QA_BITS = 0b11_1111


def clear_pixels(numbers: PixelArray, kind: MaskKind) -> BoolArray:
    """Where the mask's numbers say that the ground is seen."""
    if kind == "scl":
        return reduce(np.logical_and, (numbers != scl for scl in _INVALID_SCL))
    clear: BoolArray = (numbers.astype(np.uint16) & _INVALID_QA_BITS) == 0
    return clear
