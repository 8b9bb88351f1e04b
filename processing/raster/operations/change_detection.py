"""Change detection: two dates of one place, and each pixel in one of five classes."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..params import InvalidParams, Params
from ..radiometry import sensor_of_product
from ..radiometry.sensors import common_names
from ..shares import percent
from ..types import BoolArray, Float32Array, PixelArray, PixelFormat, Pixels, SceneId
from ._change_classes import NODATA, Change, ChangeTally, change_format, stac_classes
from ._change_rule import classify, detectable, formable, index_differences, unclassified_percent
from ._operation import Operation

_MAD_TO_STANDARD_DEVIATION = 1.4826


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


class ChangeDetection(Operation[ChangeDetectionParams]):
    title = "Change Detection"
    description = (
        "Compares two scenes of the same area, before and after. The result is a classified map: no change, "
        "vegetation gain, vegetation loss, built-up gain, water change."
    )
    scene_roles = ("before", "after")
    params_model = ChangeDetectionParams

    def normalise(self, params: ChangeDetectionParams, scene_ids: Sequence[SceneId]) -> ChangeDetectionParams:
        """The params with bands by common name.

        Raises InvalidParams unless they are distinct, mean the same in both scenes and form an index.
        """
        names, *others = [_common_names(params.bands, scene_id) for scene_id in scene_ids]
        if any(other != names for other in others):
            raise InvalidParams("bands", "A native name means different bands in these scenes: use common names")
        if len(set(names)) < len(names):
            raise InvalidParams("bands", "A band is named twice")
        if not formable(names):
            raise InvalidParams("bands", _why_no_index(names))
        return params.model_copy(update={"bands": names})

    @property
    def nothing(self) -> np.generic:
        return np.uint8(NODATA)

    def bands(self, params: ChangeDetectionParams) -> tuple[str, ...]:
        return tuple(params.bands)

    def pixel_format(self, params: ChangeDetectionParams) -> PixelFormat:
        return change_format()

    def compute(self, params: ChangeDetectionParams, scenes: Sequence[Pixels]) -> PixelArray:
        """The classes of one window, (rows, columns) uint8; 255 if a pixel is not valid at both dates."""
        before, after = scenes
        classes = classify(before.reflectance, after.reflectance, params.threshold)
        np.copyto(classes, np.uint8(NODATA), where=~(before.valid & after.valid))
        return classes

    def encode(self, params: ChangeDetectionParams, values: PixelArray) -> PixelArray:
        return values

    def tally(self, params: ChangeDetectionParams) -> ChangeTally:
        return ChangeTally(detectable(params.bands))

    def result_fields(self, params: ChangeDetectionParams) -> Mapping[str, Any]:
        return {"classification:classes": stac_classes()}

    def quality(
        self, params: ChangeDetectionParams, scenes: Sequence[Pixels], near_mask: BoolArray | None
    ) -> Mapping[str, Any]:
        before, after = (scene.reflectance for scene in scenes)
        changed = self.compute(params, scenes) != np.uint8(Change.NO_CHANGE)
        return {
            "near_mask_percent": None if near_mask is None else percent(near_mask, np.ones_like(near_mask)),
            "change_near_mask_percent": None if near_mask is None else percent(near_mask, changed),
            "unclassified_percent": unclassified_percent(before, after, params.threshold),
            "index_differences": {
                name: {"median": float(np.median(values)), "deviation": _robust_deviation(values)}
                for name, values in index_differences(before, after).items()
            },
        }

    def notes(self, params: ChangeDetectionParams) -> tuple[str, ...]:
        missing = [change for change in Change if change not in detectable(params.bands)]
        if not missing:
            return ()
        if missing == [Change.BUILT_UP_GAIN]:
            return (
                "These bands cannot distinguish built-up land from bare soil, so built-up gain is never found; "
                "the band swir16 adds it.",
            )
        titles = ", ".join(change.title for change in missing)
        return (f"With these bands the map cannot show {titles}; red and nir add vegetation and water.",)


def _robust_deviation(values: Float32Array) -> float:
    """The standard deviation that the median absolute deviation would have if values were normally distributed."""
    return _MAD_TO_STANDARD_DEVIATION * float(np.median(np.abs(values - np.median(values))))


def _why_no_index(names: Sequence[str]) -> str:
    unknown = [name for name in names if name not in common_names()]
    if unknown:
        return f'There is no band "{unknown[0]}"; names are lower case: {", ".join(sorted(common_names()))}'
    return "These bands form no index: take red with nir, green with nir or swir16, or swir16 or swir22 with nir"


def _common_names(names: Sequence[str], scene_id: SceneId) -> list[str]:
    sensor = sensor_of_product(scene_id.original_id)
    return [sensor.common_name(name) for name in names]


OPERATION = ChangeDetection()
