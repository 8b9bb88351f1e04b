"""The classes of a change map: their codes, names and colours, and how much ground each covers."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Self

import numpy as np

from ..types import Float64Array, PixelArray, PixelFormat

NODATA = 255
_SQUARE_METRES_PER_HECTARE = 10_000
# Areas of rows that differ by less than this part are counted as their mean.
_ALIKE = 1e-7


class Change(IntEnum):
    """The classes of the map. The values are its DN."""

    NO_CHANGE = 0
    VEGETATION_GAIN = 1
    VEGETATION_LOSS = 2
    BUILT_UP_GAIN = 3
    WATER_CHANGE = 4

    @property
    def title(self) -> str:
        return "built-up gain" if self is Change.BUILT_UP_GAIN else self.name.replace("_", " ").lower()


# Colours that people with any colour vision can distinguish (Okabe and Ito 2008), on light grey for no change.
_COLORS = {
    Change.NO_CHANGE: "D9D9D9",
    Change.VEGETATION_GAIN: "009E73",
    Change.VEGETATION_LOSS: "E69F00",
    Change.BUILT_UP_GAIN: "CC79A7",
    Change.WATER_CHANGE: "0072B2",
}


def change_format() -> PixelFormat:
    """How a change map is stored."""
    colors = [tuple(bytes.fromhex(_COLORS[change])) for change in Change]
    return PixelFormat(
        dtype="uint8",
        nodata=NODATA,
        overview_resampling="mode",
        description="change",
        palette=tuple((red, green, blue, 255) for red, green, blue in colors),
        class_names=tuple(change.title for change in Change),
    )


def stac_classes() -> list[dict[str, Any]]:
    """The classes as `classification:classes` of the STAC classification extension 2.0."""
    return [
        {
            "value": int(change),
            "name": change.name.lower(),
            "description": change.title,
            "color_hint": _COLORS[change],
        }
        for change in Change
    ] + [{"value": NODATA, "name": "nodata", "description": "no data or masked", "nodata": True}]


class ChangeTally:
    """Pixels and hectares of every class."""

    def __init__(self, detectable: Sequence[Change]) -> None:
        self._detectable = detectable
        self._pixels = dict.fromkeys(Change, 0)
        self._square_metres = dict.fromkeys(Change, 0.0)

    @property
    def valid(self) -> int:
        return sum(self._pixels.values())

    def add(self, values: PixelArray, pixel_areas: Float64Array) -> None:
        mean_area = pixel_areas.mean()
        alike = np.ptp(pixel_areas) <= _ALIKE * mean_area
        for change in Change:
            found = values == np.uint8(change)
            pixels = int(np.count_nonzero(found))
            self._pixels[change] += pixels
            # Counting row by row takes four times as long.
            area = pixels * mean_area if alike else (np.count_nonzero(found, axis=1) * pixel_areas).sum()
            self._square_metres[change] += float(area)

    def merge(self, other: Self) -> None:
        for change in Change:
            self._pixels[change] += other._pixels[change]
            self._square_metres[change] += other._square_metres[change]

    def statistics(self) -> dict[str, Any]:
        return {
            "classes": [
                {
                    "value": int(change),
                    "name": change.title,
                    "pixels": self._pixels[change],
                    "hectares": self._square_metres[change] / _SQUARE_METRES_PER_HECTARE,
                    "percent": 100 * self._pixels[change] / self.valid,
                }
                for change in Change
            ],
            "detectable_classes": [int(change) for change in self._detectable],
        }

    def quality(self) -> Mapping[str, float]:
        return {"changed_percent": 100 * (self.valid - self._pixels[Change.NO_CHANGE]) / self.valid}
