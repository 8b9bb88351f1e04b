"""Decides the offset of a scene. Reflectance is DN x scale + offset.

From processing baseline 04.00 on, Sentinel-2 DN are shifted by 1000 so that dark pixels stay above 0. Some catalogues
have shifted them back, and some items say the wrong thing about it. If the pixels show it, they win.
"""

import re

from ..errors import OffsetUnknown
from ..types import Scene
from .assets import is_jpeg_2000
from .offset_check import Shift
from .sensors import Sensor, sensor_of

Offset = tuple[float, str]  # and the reason for it


def decide_offset(scene: Scene, key: str, declared: float | None, pixels: Shift = Shift.UNDECIDED) -> Offset:
    """The offset of the asset `key`, which itself declares the offset `declared` and whose pixels show `pixels`.

    Raises OffsetUnknown rather than guess.
    """
    sensor = sensor_of(scene)
    if sensor.offset_since is None:
        return (sensor.offset, sensor.name) if declared is None else (declared, "declared")
    claimed = claimed_offset(scene, key, declared)
    shown = {Shift.SHIFTED: sensor.offset, Shift.PLAIN: 0.0, Shift.UNDECIDED: None}[pixels]
    if claimed and shown in (None, claimed[0]):
        return claimed
    if shown is not None:
        return shown, f"the pixels are {pixels}, whatever the item says"
    raise OffsetUnknown(
        f"Scene {scene.id} says nothing of its offset that is certain (processing baseline, product name, declared "
        "offset), and its pixels do not show it, so its reflectance is unknown.",
        scene_id=str(scene.id),
        asset=key,
    )


def claimed_offset(scene: Scene, key: str, declared: float | None) -> Offset | None:
    """The offset by the metadata alone, of a sensor whose offset depends on the processing baseline.

    None if they say nothing or contradict each other. By baseline, never by date: old scenes are processed again with
    newer baselines.
    """
    sensor, baseline = sensor_of(scene), processing_baseline(scene)
    # Older Earth Search COGs are shifted back already, although the same item still declares the offset.
    if _is_applied(scene) and not is_raw(scene, key):
        return 0.0, "the catalogue has applied the offset to the pixels (earthsearch:boa_offset_applied)"
    shifted = {has_offset(stated, sensor) for stated in (baseline, baseline_of_name(scene)) if stated}
    if len(shifted) > 1 or (declared == 0 and True in shifted):
        return None
    if shifted == {False}:
        return 0.0, f"processing baseline {baseline} has no offset"
    if declared is not None:
        return declared, "declared by the asset"
    return (sensor.offset, f"processing baseline {baseline}") if baseline else None


def shows_offset(scene: Scene) -> bool:
    """Whether the red pixels can show the offset: those of Sentinel-2 can, also if the item names no platform."""
    sensor = sensor_of(scene)
    return sensor.offset_since is not None and bool(sensor.bands or processing_baseline(scene))


def is_raw(scene: Scene, key: str) -> bool:
    """Whether the asset is a file as ESA made it, whatever the item says of the catalogue's own COGs."""
    return is_jpeg_2000(scene.assets[key])


def processing_baseline(scene: Scene) -> str | None:
    """Sentinel-2 processing baseline as the catalogue writes it, such as 05.10; None if nothing says it."""
    declared = scene.properties.get("s2:processing_baseline") or scene.properties.get("processing:version")
    if declared and re.fullmatch(r"\d\d\.\d\d", str(declared)):
        return str(declared)
    return baseline_of_name(scene)


def baseline_of_name(scene: Scene) -> str | None:
    """The processing baseline by the product's name; None if the item has no such name."""
    product = scene.properties.get("s2:product_uri") or scene.properties.get("sentinel:product_id") or scene.item_id
    name = re.search(r"_N(\d\d)(\d\d)_", str(product))
    return f"{name[1]}.{name[2]}" if name else None


def has_offset(baseline: str, sensor: Sensor) -> bool:
    """Whether scenes of the sensor and of this processing baseline are shifted when they are made."""
    return sensor.offset_since is not None and float(baseline) >= sensor.offset_since


def _is_applied(scene: Scene) -> bool:
    """Some items write the flag as text."""
    return str(scene.properties.get("earthsearch:boa_offset_applied")).lower() == "true"
