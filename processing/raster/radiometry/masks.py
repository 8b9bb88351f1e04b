"""Which pixels are clear, by the masks that come with scenes.

Sources: ESA, Sentinel-2 L2A scene classification (SCL); USGS, Landsat Collection 2 QA_PIXEL.
"""

from functools import reduce

import numpy as np

from ..types import BoolArray, MaskKind, PixelArray

# No data, saturated or defective, cloud shadow, cloud medium, cloud high, thin cirrus, snow. Dark areas (2) and
# unclassified pixels (7) count as clear: much good land is among them.
_HIDDEN_SCL = (0, 1, 3, 8, 9, 10, 11)

# Fill, dilated cloud, cirrus, cloud, cloud shadow, snow.
_HIDDEN_QA_BITS = 0b11_1111


def clear_pixels(dn: PixelArray, kind: MaskKind) -> BoolArray:
    """Whether each pixel is clear, by the DN of a mask of that kind."""
    if kind == "scl":
        return reduce(np.logical_and, (dn != hidden for hidden in _HIDDEN_SCL))
    clear: BoolArray = (dn.astype(np.uint16) & _HIDDEN_QA_BITS) == 0
    return clear
