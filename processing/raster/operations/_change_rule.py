"""The rule of change detection: from the reflectance of two dates to the class of each pixel.

It compares exactly the requested bands and the indices that they form. Sources: Rouse 1974 (NDVI), McFeeters 1996
(NDWI), Xu 2006 (MNDWI), Zha 2003 (NDBI), Kawamura 1996 (UI), Zhu and Woodcock 2012 (water from two bands), Malila 1980
(change vectors).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from ..shares import percent
from ..types import BoolArray, Float32Array, PixelArray
from ._change_classes import Change
from ._normalized_index import normalized_difference

# Differences up to this are none: it is far above the rounding of float32 and far below one DN.
_EPSILON = 1e-6

# name -> (a, b) of (a - b) / (a + b)
_INDICES = {
    "NDVI": ("nir", "red"),
    "NDWI": ("green", "nir"),
    "MNDWI": ("green", "swir16"),
    "NDBI": ("swir16", "nir"),
    "UI": ("swir22", "nir"),
}


def formable(names: Sequence[str]) -> set[str]:
    """The indices that bands of these common names form."""
    roles = {"nir" if name == "nir08" else name for name in names}
    return {index for index, (a, b) in _INDICES.items() if a in roles and b in roles}


def detectable(names: Sequence[str]) -> list[Change]:
    """The classes that the rule can find with bands of these common names."""
    indices = formable(names)
    found = {Change.NO_CHANGE}
    if indices & {"MNDWI", "NDWI", "NDVI"}:
        found.add(Change.WATER_CHANGE)
    if "NDVI" in indices:
        found |= {Change.VEGETATION_GAIN, Change.VEGETATION_LOSS}
        if {"swir16", "swir22"} & set(names):
            found.add(Change.BUILT_UP_GAIN)
    return sorted(found)


def classify(
    reflectance_before: Mapping[str, Float32Array], reflectance_after: Mapping[str, Float32Array], threshold: float
) -> PixelArray:
    """The class of every pixel, (rows, columns) uint8, as if all were valid; reflectance is by common name.

    If several classes fit, the one that comes first in the rule wins.
    """
    before, after = _Date(reflectance_before), _Date(reflectance_after)
    undecided = _changed(before, after, threshold)
    classes = np.full(undecided.shape, Change.NO_CHANGE, dtype=np.uint8)
    _mark_water_and_built_up(classes, undecided, before, after)
    _mark_vegetation(classes, undecided, before, after, threshold)
    return classes


def index_differences(
    reflectance_before: Mapping[str, Float32Array], reflectance_after: Mapping[str, Float32Array]
) -> dict[str, Float32Array]:
    """By how much each index that the bands form rises."""
    before, after = _Date(reflectance_before).indices, _Date(reflectance_after).indices
    return {name: after[name] - before[name] for name in before}


def unclassified_percent(
    reflectance_before: Mapping[str, Float32Array], reflectance_after: Mapping[str, Float32Array], threshold: float
) -> float | None:
    """Percent of the changed pixels that are in none of the classes of change; None if nothing changed."""
    changed = _changed(_Date(reflectance_before), _Date(reflectance_after), threshold)
    classes = classify(reflectance_before, reflectance_after, threshold)
    return percent(classes == Change.NO_CHANGE, changed)


@dataclass(frozen=True)
class _Date:
    """One date's reflectance by band name, and what the rule derives from it."""

    reflectance: Mapping[str, Float32Array]

    @cached_property
    def bands(self) -> Mapping[str, Float32Array]:
        """By role: `nir` is nir, or nir08 if only that was requested."""
        narrow = self.reflectance.get("nir08")
        return self.reflectance if narrow is None else {"nir": narrow, **self.reflectance}

    @cached_property
    def indices(self) -> Mapping[str, Float32Array]:
        """Every index that the bands form."""
        return {
            name: difference_or_0(self.bands[a], self.bands[b])
            for name, (a, b) in _INDICES.items()
            if a in self.bands and b in self.bands
        }

    def water(self) -> BoolArray | None:
        """Whether each pixel is open water; None if the bands cannot say."""
        wetness = self.indices.get("MNDWI", self.indices.get("NDWI"))
        nir = self.bands.get("nir")
        if wetness is not None:
            return wetness > 0 if nir is None else (wetness > 0) & (nir < 0.15)
        if nir is not None and "NDVI" in self.indices:
            return (nir < 0.05) | ((self.indices["NDVI"] < 0.01) & (nir < 0.11))
        return None

    def built_up(self, water: BoolArray) -> BoolArray | None:
        """Whether each pixel is built up; None if the bands cannot distinguish that from bare soil."""
        swir_name, red_share = ("swir16", 0.55) if "swir16" in self.bands else ("swir22", 0.65)
        swir = self.bands.get(swir_name)
        if swir is None or "NDVI" not in self.indices:
            return None
        red, nir = self.bands["red"], self.bands["nir"]
        built = ~water & (self.indices["NDVI"] < 0.30) & (difference_or_0(swir, nir) > -0.15)
        built &= (nir >= 0.11) & (red > red_share * swir)
        if "blue" in self.bands:
            built &= difference_or_0(swir + red, nir + self.bands["blue"]) < 0.18
        return built


def difference_or_0(a: Float32Array, b: Float32Array) -> Float32Array:
    """(a - b) / (a + b), and 0 if a and b are both 0. Neither may be below 0."""
    quotient, total = normalized_difference(a, b)
    if not total.min(initial=np.inf) > 0:
        quotient[total == 0] = 0
    return quotient


def _mark_water_and_built_up(classes: PixelArray, undecided: BoolArray, before: _Date, after: _Date) -> None:
    """Mark both classes, and remove from `undecided` their pixels and those that are water at both dates."""
    water_before, water_after = before.water(), after.water()
    if water_before is None or water_after is None:
        return
    _mark(classes, Change.WATER_CHANGE, where=undecided & (water_before ^ water_after))
    undecided &= ~(water_before | water_after)
    built_before, built_after = before.built_up(water_before), after.built_up(water_after)
    if built_before is None or built_after is None:
        return
    built = undecided & built_after & ~built_before
    _mark(classes, Change.BUILT_UP_GAIN, where=built)
    undecided &= ~built


def _mark_vegetation(classes: PixelArray, undecided: BoolArray, before: _Date, after: _Date, threshold: float) -> None:
    if "NDVI" not in before.indices:
        return
    ndvi_before, ndvi_after = before.indices["NDVI"], after.indices["NDVI"]
    gain, loss = _rises(ndvi_before, ndvi_after, threshold), _rises(ndvi_after, ndvi_before, threshold)
    _mark(classes, Change.VEGETATION_GAIN, where=undecided & gain)
    _mark(classes, Change.VEGETATION_LOSS, where=undecided & loss)


def _mark(classes: PixelArray, change: Change, where: BoolArray) -> None:
    np.copyto(classes, np.uint8(change), where=where)


def _changed(before: _Date, after: _Date, threshold: float) -> BoolArray:
    """Whether any requested reflectance, or any index that the bands form, changes by the threshold or more."""
    pairs = [(before.reflectance[name], after.reflectance[name]) for name in before.reflectance]
    pairs += [(before.indices[name], after.indices[name]) for name in before.indices]
    distances = (second - first for first, second in pairs)
    return reduce(np.logical_or, (_reaches(np.abs(distance, out=distance), threshold) for distance in distances))


def _reaches(distance: Float32Array, threshold: float) -> BoolArray:
    """Whether a distance is at least the threshold, except for rounding, and is more than rounding."""
    least = np.float32(threshold - _EPSILON)
    return distance >= least if least > _EPSILON else distance > _EPSILON


def _rises(low: Float32Array, high: Float32Array, threshold: float) -> BoolArray:
    """Whether NDVI rises from `low` by the threshold or more, and is that of vegetation then."""
    return _reaches(high - low, threshold) & (high >= 0.2)
