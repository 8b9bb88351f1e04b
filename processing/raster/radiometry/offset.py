"""Decides the offset of a scene. Reflectance is DN x scale + offset.

From processing baseline 04.00 on, Sentinel-2 DN are shifted by 1000 so that dark pixels stay above 0. Some catalogues
have shifted them back, and some items say the wrong thing about it.
"""

import re

import numpy as np

from ..errors import OffsetUnknown
from ..types import PixelArray, Scene
from .assets import is_jpeg_2000
from .sensors import SENTINEL_2, Sensor, sensor_of

_ZERO_REFLECTANCE = round(-SENTINEL_2.offset / SENTINEL_2.scale)  # DN
_LEAST_SHARE_BELOW = 0.2


def decide_offset(scene: Scene, key: str, declared: float | None) -> tuple[float, str]:
    """(offset, the reason for it) of the asset `key`, which itself declares the offset `declared`.

    Raises OffsetUnknown rather than guess.
    """
    sensor = sensor_of(scene)
    if sensor.offset_since is not None:
        return _offset_by_baseline(scene, key, declared, sensor)
    return (sensor.offset, sensor.name) if declared is None else (declared, "declared")


def _offset_by_baseline(scene: Scene, key: str, declared: float | None, sensor: Sensor) -> tuple[float, str]:
    """By processing baseline, never by date: old scenes are processed again with newer baselines."""
    baseline = processing_baseline(scene)
    if baseline and not _has_offset(baseline, sensor):
        return 0.0, f"processing baseline {baseline} has no offset"
    # Older Earth Search COGs are shifted back already, although the same item still declares the offset. JPEG 2000
    # files are ESA's own: the catalogue has not shifted them.
    if scene.properties.get("earthsearch:boa_offset_applied") is True and not is_jpeg_2000(scene.assets[key]):
        return 0.0, "the catalogue has applied the offset to the pixels (earthsearch:boa_offset_applied)"
    if declared is not None:
        return declared, "declared by the asset"
    if baseline:
        return sensor.offset, f"processing baseline {baseline}"
    raise OffsetUnknown(
        f"Scene {scene.id} says neither its processing baseline nor an offset, so its reflectance is unknown.",
        scene_id=str(scene.id),
        asset=key,
    )


def processing_baseline(scene: Scene) -> str | None:
    """Sentinel-2 processing baseline as the catalogue writes it, such as 05.10; None if nothing says it."""
    declared = scene.properties.get("s2:processing_baseline") or scene.properties.get("processing:version")
    if declared and re.fullmatch(r"\d\d\.\d\d", str(declared)):
        return str(declared)
    product = scene.properties.get("s2:product_uri") or scene.properties.get("sentinel:product_id") or scene.item_id
    name = re.search(r"_N(\d\d)(\d\d)_", str(product))
    return f"{name[1]}.{name[2]}" if name else None


def may_be_shifted_already(scene: Scene) -> bool:
    """Whether the scene is an older Earth Search COG that claims not to be shifted back. Some such claims are wrong."""
    baseline = processing_baseline(scene)
    not_applied = scene.properties.get("earthsearch:boa_offset_applied") is False
    return not_applied and (baseline is None or _has_offset(baseline, sensor_of(scene)))


def contradicts_offset(red: PixelArray) -> bool:
    """Whether so many DN of a red band are below that of reflectance 0 that they cannot be shifted. 0 is nodata."""
    valid = red[red > 0]
    return bool(valid.size and np.count_nonzero(valid < _ZERO_REFLECTANCE) > _LEAST_SHARE_BELOW * valid.size)


def _has_offset(baseline: str, sensor: Sensor) -> bool:
    return sensor.offset_since is not None and float(baseline) >= sensor.offset_since
