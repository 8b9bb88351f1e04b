"""What the masks that come with scenes call invalid.

Sources: ESA, Sentinel-2 L2A scene classification (SCL); USGS, Landsat Collection 2 QA_PIXEL.
"""

import numpy as np

from .types import BoolArray, MaskKind, PixelArray

# No data, saturated or defective, cloud shadow, cloud medium, cloud high, thin cirrus, snow. Dark areas (2) and
# unclassified pixels (7) stay: too much good land is among them.
_INVALID_SCL = (0, 1, 3, 8, 9, 10, 11)
_CLEAR_BY_SCL = np.ones(256, dtype=np.bool_)
_CLEAR_BY_SCL[list(_INVALID_SCL)] = False

# Fill, dilated cloud, cirrus, cloud, cloud shadow, snow.
_INVALID_QA_BITS = 0b11_1111


def clear_pixels(numbers: PixelArray, kind: MaskKind) -> BoolArray:
    """Where the mask's numbers say that the ground is seen."""
    if kind == "scl":
        classes = numbers if numbers.dtype == np.uint8 else np.clip(numbers, 0, 255).astype(np.uint8)
        return _CLEAR_BY_SCL.take(classes)
    clear: BoolArray = (numbers.astype(np.uint16) & _INVALID_QA_BITS) == 0
    return clear
