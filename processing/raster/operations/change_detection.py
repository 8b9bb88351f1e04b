"""Change detection: two dates of one place, each pixel in one of five classes.

The rule compares exactly the requested bands and the indices that they form. Sources of the parts: Rouse 1974 (NDVI),
McFeeters 1996 (NDWI), Xu 2006 (MNDWI), Zha 2003 (NDBI), Kawamura 1996 (UI), Zhu and Woodcock 2012 (water from two
bands), Malila 1980 (change vectors).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, reduce
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from ..params import InvalidParams, Params
from ..radiometry import sensor_of_product
from ..types import BoolArray, Float32Array, Float64Array, PixelArray, PixelFormat, Pixels, SceneId
from . import Operation

# Below this, two numbers are the same: it is far above the rounding of float32 and far below one DN.
_EPSILON = 1e-6
_NODATA = 255
_SQUARE_METRES_PER_HECTARE = 10_000


class Change(IntEnum):
    """The classes of the map, in the order of the documentation."""

    NO_CHANGE = 0
    VEGETATION_GAIN = 1
    VEGETATION_LOSS = 2
    BUILT_UP_GAIN = 3
    WATER_CHANGE = 4

    @property
    def title(self) -> str:
        return "built-up gain" if self is Change.BUILT_UP_GAIN else self.name.replace("_", " ").lower()


# Colours that people with any colour vision tell apart (Okabe and Ito 2008), on light grey for no change.
_COLORS = {
    Change.NO_CHANGE: "D9D9D9",
    Change.VEGETATION_GAIN: "009E73",
    Change.VEGETATION_LOSS: "E69F00",
    Change.BUILT_UP_GAIN: "CC79A7",
    Change.WATER_CHANGE: "0072B2",
}

# name -> (a, b) of (a - b) / (a + b)
_INDICES = {
    "NDVI": ("nir", "red"),
    "NDWI": ("green", "nir"),
    "MNDWI": ("green", "swir16"),
    "NDBI": ("swir16", "nir"),
    "UI": ("swir22", "nir"),
}


class ChangeDetectionParams(Params):
    threshold: float = Field(
        default=0.1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Least difference in reflectance or in an index that counts as a change.",
    )
    bands: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]] = Field(
        default=["red", "nir"],
        min_length=1,
        max_length=20,
        description="Bands to compare, by common name (red, nir, swir16) or native name (B04, B08, B11). "
        "They must form an index: red with nir, green with nir or swir16, swir16 or swir22 with nir.",
    )
    cloud_mask: bool = Field(
        default=True, description="Leave out clouds, their shadows and snow, as the scenes' own masks have them."
    )


@dataclass(frozen=True)
class _Date:
    """One date's reflectance by band name, and what the rule makes of it."""

    reflectance: Mapping[str, Float32Array]

    @cached_property
    def bands(self) -> Mapping[str, Float32Array]:
        """By role: `nir` is nir, or nir08 where only that was asked for."""
        narrow = self.reflectance.get("nir08")
        return self.reflectance if narrow is None else {"nir": narrow, **self.reflectance}

    @cached_property
    def indices(self) -> Mapping[str, Float32Array]:
        """Every index that the bands form."""
        return {
            name: normalized_difference(self.bands[a], self.bands[b])
            for name, (a, b) in _INDICES.items()
            if a in self.bands and b in self.bands
        }

    def water(self) -> BoolArray | None:
        """Where there is open water; None where the bands cannot tell."""
        wetness = self.indices.get("MNDWI", self.indices.get("NDWI"))
        nir = self.bands.get("nir")
        if wetness is not None:
            return wetness > 0 if nir is None else (wetness > 0) & (nir < 0.15)
        if nir is not None and "NDVI" in self.indices:
            return (nir < 0.05) | ((self.indices["NDVI"] < 0.01) & (nir < 0.11))
        return None

    def built_up(self, water: BoolArray) -> BoolArray | None:
        """Where the ground is built over; None where the bands cannot tell it from bare soil."""
        swir_name, red_share = ("swir16", 0.55) if "swir16" in self.bands else ("swir22", 0.65)
        swir = self.bands.get(swir_name)
        if swir is None or "NDVI" not in self.indices:
            return None
        red, nir = self.bands["red"], self.bands["nir"]
        built = ~water & (self.indices["NDVI"] < 0.30) & (normalized_difference(swir, nir) > -0.15)
        built &= (nir >= 0.11) & (red > red_share * swir)
        if "blue" in self.bands:
            built &= normalized_difference(swir + red, nir + self.bands["blue"]) < 0.18
        return built


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
        alike = bool((pixel_areas == pixel_areas[0]).all())
        for change in Change:
            found = values == np.uint8(change)
            pixels = int(np.count_nonzero(found))
            self._pixels[change] += pixels
            # Counting row by row takes four times as long.
            area = pixels * pixel_areas[0] if alike else (np.count_nonzero(found, axis=1) * pixel_areas).sum()
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


class ChangeDetection(Operation[ChangeDetectionParams]):
    title = "Change Detection"
    description = (
        "Compares two scenes of the same area, before and after. The result is a classified map: no change, "
        "vegetation gain, vegetation loss, built-up gain, water change."
    )
    scene_roles = ("before", "after")
    params_model = ChangeDetectionParams

    def normalise(self, params: ChangeDetectionParams, scene_ids: Sequence[SceneId]) -> ChangeDetectionParams:
        """With bands by common name: different ones, the same in both scenes, that form an index."""
        names, *others = [_common_names(params.bands, scene_id) for scene_id in scene_ids]
        if any(other != names for other in others):
            raise InvalidParams("bands", "A native name means different bands in these scenes: use common names")
        if len(set(names)) < len(names):
            raise InvalidParams("bands", "A band is named twice")
        if not _formable(names):
            raise InvalidParams(
                "bands",
                "These bands form no index: take red with nir, green with nir or swir16, or swir16 or swir22 with nir",
            )
        return params.model_copy(update={"bands": names})

    @property
    def nothing(self) -> np.generic:
        return np.uint8(_NODATA)

    def bands(self, params: ChangeDetectionParams) -> tuple[str, ...]:
        return tuple(params.bands)

    def pixel_format(self, params: ChangeDetectionParams) -> PixelFormat:
        colors = [tuple(bytes.fromhex(_COLORS[change])) for change in Change]
        return PixelFormat(
            dtype="uint8",
            nodata=_NODATA,
            overview_resampling="mode",
            description="change",
            palette=tuple((red, green, blue, 255) for red, green, blue in colors),
            class_names=tuple(change.title for change in Change),
        )

    def compute(self, params: ChangeDetectionParams, scenes: Sequence[Pixels]) -> PixelArray:
        """The classes of one window: (rows, columns) uint8; 255 where a pixel is invalid at either date."""
        before, after = (_Date(scene.reflectance) for scene in scenes)
        classes = classify(before, after, params.threshold)
        np.copyto(classes, np.uint8(_NODATA), where=~(scenes[0].valid & scenes[1].valid))
        return classes

    def encode(self, params: ChangeDetectionParams, values: PixelArray) -> PixelArray:
        return values

    def tally(self, params: ChangeDetectionParams) -> ChangeTally:
        return ChangeTally(_detectable(params.bands))

    def result_fields(self, params: ChangeDetectionParams) -> Mapping[str, Any]:
        """As in the STAC classification extension 2.0."""
        return {
            "classification:classes": [
                {
                    "value": int(change),
                    "name": change.name.lower(),
                    "description": change.title,
                    "color_hint": _COLORS[change],
                }
                for change in Change
            ]
            + [{"value": _NODATA, "name": "nodata", "description": "no data or masked", "nodata": True}]
        }

    def warnings(self, params: ChangeDetectionParams) -> tuple[str, ...]:
        missing = [change.title for change in Change if change not in _detectable(params.bands)]
        if not missing:
            return ()
        if missing == [Change.BUILT_UP_GAIN.title]:
            return (
                "With these bands built-up land cannot be told from bare soil, so built-up gain is never found; "
                "the band swir16 adds it.",
            )
        return (f"With these bands the map cannot show {', '.join(missing)}; red and nir add vegetation and water.",)


def normalized_difference(a: Float32Array, b: Float32Array) -> Float32Array:
    """(a - b) / (a + b), and 0 where a + b is 0. Neither is below 0."""
    total = a + b
    quotient: Float32Array = a - b
    with np.errstate(invalid="ignore"):
        np.divide(quotient, total, out=quotient)
    if not total.min(initial=np.inf) > 0:
        quotient[total == 0] = 0
    return quotient


def classify(before: _Date, after: _Date, threshold: float) -> PixelArray:
    """The class of every pixel as if all were valid; what comes first in the documented order wins."""
    undecided = _changed(before, after, threshold)
    classes = np.full(undecided.shape, Change.NO_CHANGE, dtype=np.uint8)
    water_before, water_after = before.water(), after.water()
    if water_before is not None and water_after is not None:
        _mark(classes, Change.WATER_CHANGE, where=undecided & (water_before ^ water_after))
        undecided &= ~(water_before | water_after)
        built_before, built_after = before.built_up(water_before), after.built_up(water_after)
        if built_before is not None and built_after is not None:
            built = undecided & built_after & ~built_before
            _mark(classes, Change.BUILT_UP_GAIN, where=built)
            undecided &= ~built
    if "NDVI" in before.indices:
        ndvi_before, ndvi_after = before.indices["NDVI"], after.indices["NDVI"]
        gain, loss = _rises(ndvi_before, ndvi_after, threshold), _rises(ndvi_after, ndvi_before, threshold)
        _mark(classes, Change.VEGETATION_GAIN, where=undecided & gain)
        _mark(classes, Change.VEGETATION_LOSS, where=undecided & loss)
    return classes


def _mark(classes: PixelArray, change: Change, where: BoolArray) -> None:
    np.copyto(classes, np.uint8(change), where=where)


def _changed(before: _Date, after: _Date, threshold: float) -> BoolArray:
    """Where any requested reflectance, or any index that the bands form, changes by the threshold or more."""
    pairs = [(before.reflectance[name], after.reflectance[name]) for name in before.reflectance]
    pairs += [(before.indices[name], after.indices[name]) for name in before.indices]
    distances = (second - first for first, second in pairs)
    return reduce(np.logical_or, (_reaches(np.abs(distance, out=distance), threshold) for distance in distances))


def _reaches(distance: Float32Array, threshold: float) -> BoolArray:
    """Where a distance is the threshold or more, but for rounding, and is more than rounding."""
    least = np.float32(threshold - _EPSILON)
    return distance >= least if least > _EPSILON else distance > _EPSILON


def _rises(low: Float32Array, high: Float32Array, threshold: float) -> BoolArray:
    """Where NDVI rises from `low` by the threshold or more, to at least the least that is vegetation."""
    return _reaches(high - low, threshold) & (high >= 0.2)


def _common_names(names: Sequence[str], scene_id: SceneId) -> list[str]:
    sensor = sensor_of_product(scene_id.original_id)
    return [sensor.common_name(name) for name in names]


def _formable(names: Sequence[str]) -> set[str]:
    roles = {"nir" if name == "nir08" else name for name in names}
    return {index for index, (a, b) in _INDICES.items() if a in roles and b in roles}


def _detectable(names: Sequence[str]) -> list[Change]:
    """The classes that the rule can give with these bands."""
    indices = _formable(names)
    found = {Change.NO_CHANGE}
    if indices & {"MNDWI", "NDWI", "NDVI"}:
        found.add(Change.WATER_CHANGE)
    if "NDVI" in indices:
        found |= {Change.VEGETATION_GAIN, Change.VEGETATION_LOSS}
        if {"swir16", "swir22"} & set(names):
            found.add(Change.BUILT_UP_GAIN)
    return sorted(found)


OPERATION = ChangeDetection()
