"""Whether the DN of a Sentinel-2 scene are shifted by the offset, by its red band alone.

Red is dark over water, forest, crops and shadow, so nearly every scene has red reflectance near 0. Its darkest DN then
show where reflectance 0 lies. Desert, snow and cloud have no dark red: such a scene decides nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from ..types import PixelArray
from .sensors import Sensor

# Reflectance. Atmospheric correction makes dark pixels slightly negative, but not lower than this.
_LOWEST = -0.02
_DARK = 0.04
_BRIGHT = 0.3  # cloud, snow or sand

_MOST_PERCENT_BELOW = 2.0
_MOST_PERCENT_BRIGHT = 95.0
_LEAST_PERCENT_DARK = 20.0
# A chip of arid land of 2021, whose DN are plain, has 68 %.
_LEAST_PERCENT_DARK_BESIDE_NEGATIVE = 75.0
_LEAST_PIXELS = 100


class Shift(StrEnum):
    """What the pixels show: the DN are shifted by the sensor's offset, they are plain, or it cannot be seen."""

    SHIFTED = "shifted"
    PLAIN = "plain"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class OffsetCheck:
    """What the pixels show and the figures behind it, of the valid DN of red on an overview.

    `darkest_permille` is DN x scale, without any offset. `below_percent` are darker than any shifted DN can be,
    `clipped_percent` would be negative with the offset. `dark_percent` would be dark with the offset, of all but the
    bright ones.
    """

    shift: Shift
    pixels: int  # looked at
    darkest_permille: float = 0.0
    below_percent: float = 0.0
    clipped_percent: float = 0.0
    dark_percent: float = 0.0
    bright_percent: float = 0.0

    def provenance(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def check_offset(red: PixelArray, sensor: Sensor) -> OffsetCheck:
    """Compare valid DN of a red band with what `sensor` records when its DN are shifted, and when they are not."""
    if red.size < _LEAST_PIXELS:
        return OffsetCheck(shift=Shift.UNDECIDED, pixels=red.size)
    reflectance = red.ravel() * np.float32(sensor.scale)
    zero = -sensor.offset
    bright = reflectance > _BRIGHT
    figures = {
        "darkest_permille": float(np.partition(reflectance, red.size // 1000)[red.size // 1000]),
        "below_percent": _percent(reflectance < zero + _LOWEST),
        "clipped_percent": _percent(reflectance < zero),
        "dark_percent": _percent(reflectance[~bright] < zero + _DARK),
        "bright_percent": _percent(bright),
    }
    return OffsetCheck(shift=_shift(figures, zero), pixels=red.size, **figures)


def _shift(figures: Mapping[str, float], zero: float) -> Shift:
    """`zero` is DN x scale of reflectance 0 if the DN are shifted."""
    if figures["below_percent"] > _MOST_PERCENT_BELOW:
        return Shift.PLAIN
    darkest = figures["darkest_permille"]
    # Plain DN with nothing below 0.1 and much just above would be ground of nearly one brightness. It is far more often
    # the dark ground of an ordinary scene, shifted. The more so, the sharper the edge at 0.1.
    least_dark = _LEAST_PERCENT_DARK if darkest >= zero else _LEAST_PERCENT_DARK_BESIDE_NEGATIVE
    has_dark_red = darkest >= zero + _LOWEST and figures["dark_percent"] >= least_dark
    return Shift.SHIFTED if has_dark_red and figures["bright_percent"] <= _MOST_PERCENT_BRIGHT else Shift.UNDECIDED


def _percent(share: PixelArray) -> float:
    return 100 * float(np.count_nonzero(share)) / share.size if share.size else 0.0
