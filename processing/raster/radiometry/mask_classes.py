"""The names of what a mask hides.

Sources: ESA, Sentinel-2 L2A scene classification (SCL); USGS, Landsat Collection 2 QA_PIXEL.
"""

from typing import Any

import numpy as np

from ..types import MaskKind
from .masks import clear_pixels

_SCL_VALUES = (
    "no data",
    "saturated or defective",
    "dark area",
    "cloud shadow",
    "vegetation",
    "not vegetated",
    "water",
    "unclassified",
    "cloud, medium probability",
    "cloud, high probability",
    "thin cirrus",
    "snow or ice",
)
_QA_BITS = ("fill", "dilated cloud", "cirrus", "cloud", "cloud shadow", "snow", "clear", "water")


def masked_classes(kind: MaskKind) -> list[dict[str, Any]]:
    """Each class that the mask hides: its `value` in the file, or the `bit` that marks it, and its `name`."""
    if kind == "scl":
        hidden = ~clear_pixels(np.arange(len(_SCL_VALUES), dtype=np.uint8), kind)
        return [{"value": value, "name": name} for value, name in enumerate(_SCL_VALUES) if hidden[value]]
    hidden = ~clear_pixels(2 ** np.arange(len(_QA_BITS), dtype=np.uint16), kind)
    return [{"bit": bit, "name": name} for bit, name in enumerate(_QA_BITS) if hidden[bit]]
