"""What a caller should know before trusting a result: the sentences become the job's warnings."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..radiometry import resolve_mask, sensor_of
from ..radiometry.offset import processing_baseline
from ..reading import OpenScene
from . import doubts

_MUCH_MASKED_PERCENT = 50.0
_SMALL_OVERLAP_PERCENT = 50.0
_FAR_APART = timedelta(days=5 * 365.25)


def about_scenes(scenes: Sequence[OpenScene], *, masks_wanted: bool) -> Iterator[str]:
    """Caveats from the metadata of the scenes, and from how they were found."""
    for opened in scenes:
        yield from opened.scene.warnings
        if masks_wanted and resolve_mask(opened.scene) is None:
            yield f"Scene {opened.scene.id} has no cloud mask, so its clouds are in the result."
        yield from doubts.about_scene(opened)
    if len(scenes) > 1:
        before, after = scenes[0], scenes[-1]
        yield from _about_baselines(before, after)
        yield from _about_dates(before, after)
        if sensor_of(before.scene) != sensor_of(after.scene):
            yield "The scenes are of different sensors, whose bands are not quite the same."


def about_result(masked_percent: float, overlap_percent: float) -> Iterator[str]:
    """Caveats from the pixels that were read."""
    if masked_percent > _MUCH_MASKED_PERCENT:
        yield f"{masked_percent:.0f} % of the pixels are masked as cloud, shadow or snow."
    if overlap_percent < _SMALL_OVERLAP_PERCENT:
        yield f"The scenes overlap by only {overlap_percent:.0f} % of the smaller one."


def _about_baselines(before: OpenScene, after: OpenScene) -> Iterator[str]:
    first, second = processing_baseline(before.scene), processing_baseline(after.scene)
    if first and second and first != second:
        yield (
            f"The scenes were processed by different baselines ({first} and {second}); each has its own offset applied."
        )


def _about_dates(before: OpenScene, after: OpenScene) -> Iterator[str]:
    first, second = before.scene.datetime, after.scene.datetime
    if first is None or second is None:
        return
    if second < first:
        yield f"The scene given as before ({first:%Y-%m-%d}) is later than the one given as after ({second:%Y-%m-%d})."
    if abs(second - first) > _FAR_APART:
        yield "The scenes are more than five years apart, so much of the change may be slow."
