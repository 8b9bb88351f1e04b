"""The numbers that stand in `result.quality`, and the warnings that follow from them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..operations import Operation
from ..params import Params
from ..radiometry.acquisition import relative_orbit, sun_elevation
from ..reading import OpenScene
from ..types import Scene
from . import measures
from .sampler import Sampler

_LEAST_CLEAR_PERCENT = 80.0
_LOW_SUN_DEGREES = 25.0
# Pixels. Shifts are measured to a few hundredths, so this warns of 0.3 in any case.
_FAR_SHIFT = 0.28
_MUCH_DIFFERENCE = 0.03
_MUCH_CHANGED_PERCENT, _SHORT_TIME = 15.0, timedelta(days=30)
_DAYS_OF_A_YEAR, _DAYS_TO_ANOTHER_SEASON = 365, 60
_MUCH_BUILT_UP_PERCENT = 1.0


def quality(
    operation: Operation[Any],
    params: Params,
    scenes: Sequence[OpenScene],
    sampler: Sampler,
    unmasked_clear: Sequence[float | None],
) -> dict[str, Any]:
    """The numbers that come from the sample. `unmasked_clear` are the clear percents of scenes that are not masked."""
    samples = sampler.scenes()
    of_scenes = [measures.of_scene(opened, sample) for opened, sample in zip(scenes, samples, strict=True)]
    for of_scene, clear in zip(of_scenes, unmasked_clear, strict=True):
        if of_scene["clear_percent"] is None:
            of_scene["clear_percent"] = clear
    numbers: dict[str, Any] = {"sampled_pixels": sampler.size, "scenes": of_scenes}
    if len(scenes) > 1:
        numbers["registration_shift_px"] = measures.registration_shift(scenes, sampler)
    return {**numbers, **measures.of_operation(operation, params, scenes, samples)}


def warnings(
    numbers: Mapping[str, Any], statistics: Mapping[str, Any], params: Params, scenes: Sequence[OpenScene]
) -> Iterator[str]:
    """What the caller should doubt, by the result's quality, its statistics and the scenes' metadata."""
    for of_scene, opened in zip(numbers["scenes"], scenes, strict=True):
        if not params.cloud_mask:
            yield from _about_clouds(of_scene)
        yield from _about_sun(opened.scene)
    if len(scenes) > 1:
        before, after = scenes[0].scene, scenes[-1].scene
        yield from _about_shift(numbers["registration_shift_px"])
        yield from _about_differences(numbers.get("index_differences", {}))
        yield from _about_time(numbers.get("changed_percent"), before, after)
        yield from _about_orbits(before, after)
        yield from _about_built_up(statistics, scenes[0].bands)


def _about_clouds(of_scene: Mapping[str, Any]) -> Iterator[str]:
    clear = of_scene["clear_percent"]
    if clear is not None and clear < _LEAST_CLEAR_PERCENT:
        yield (
            f"{100 - clear:.0f} % of scene {of_scene['scene_id']} is cloud, shadow or snow and not masked, so the "
            "values there are not of the ground. Set cloud_mask to true, or take a clearer date."
        )


def _about_sun(scene: Scene) -> Iterator[str]:
    elevation = sun_elevation(scene)
    if elevation is not None and elevation < _LOW_SUN_DEGREES:
        yield (
            f"The sun stood only {elevation:.0f} degrees high over scene {scene.id}: shadows are long and dark, and "
            "slopes look darker or brighter than they are. Take a date nearer to summer, or trust flat land only."
        )


def _about_shift(shift: float | None) -> Iterator[str]:
    if shift is not None and shift >= _FAR_SHIFT:
        yield (
            f"The scenes are shifted by {shift:.2f} pixel against each other, so edges of fields, roads and shores "
            "look changed. Leave out thin changes along edges, or take a scene of the same relative orbit."
        )


def _about_differences(differences: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    ndvi = differences.get("NDVI")
    if ndvi and abs(ndvi["median"]) > _MUCH_DIFFERENCE:
        yield (
            f"NDVI differs by {ndvi['median']:+.2f} in the median, everywhere rather than in places: haze, the season "
            f"or a wrong offset. Take dates closer together, or a threshold well above {abs(ndvi['median']):.2f}."
        )


def _about_time(changed_percent: float | None, before: Scene, after: Scene) -> Iterator[str]:
    if before.datetime is None or after.datetime is None:
        return
    apart = abs(after.datetime - before.datetime)
    if changed_percent is not None and changed_percent > _MUCH_CHANGED_PERCENT and apart <= _SHORT_TIME:
        yield (
            f"{changed_percent:.0f} % of the ground changed within {apart.days} days, which is more than ground does: "
            "likely clouds, haze or a wrong offset. Take a larger mask_dilation, or other dates."
        )
    days = abs(after.datetime.timetuple().tm_yday - before.datetime.timetuple().tm_yday)
    days = min(days, _DAYS_OF_A_YEAR - days)
    if days > _DAYS_TO_ANOTHER_SEASON:
        yield (
            f"The scenes are {days} days apart in the course of the year, so much of the change may be the season's. "
            "Compare the same time of different years."
        )


def _about_orbits(before: Scene, after: Scene) -> Iterator[str]:
    first, second = relative_orbit(before), relative_orbit(after)
    if first is not None and second is not None and first != second:
        yield (
            f"The scenes were taken from different relative orbits ({first} and {second}), so slopes, woods and high "
            "buildings are seen from other sides. Take two scenes of one orbit to rule that out."
        )


def _about_built_up(statistics: Mapping[str, Any], bands: Mapping[str, Any]) -> Iterator[str]:
    """Bare soil that is bright in the visible bands can only be told from buildings by blue."""
    built_up = next((row for row in statistics.get("classes", ()) if row["name"] == "built-up gain"), None)
    if built_up and built_up["percent"] > _MUCH_BUILT_UP_PERCENT and "blue" not in bands:
        yield (
            f"{built_up['percent']:.1f} % of the ground is built-up gain, but without the band blue bright bare soil "
            "looks built up. Add blue to the bands, or look at a picture of it."
        )
