"""What a caller should know before trusting a result, as far as items and outlines tell: sentences for the warnings."""

from collections.abc import Iterator
from datetime import timedelta

from ..radiometry import resolve_mask, sensor_of
from ..radiometry.offset import processing_baseline
from ..types import Scene

_SMALL_OVERLAP_PERCENT = 50.0
_FAR_APART = timedelta(days=5 * 365.25)


def about_scene(scene: Scene, *, masks_wanted: bool) -> Iterator[str]:
    """Caveats from how the scene was found, and of the mask that it lacks."""
    yield from scene.warnings
    if masks_wanted and resolve_mask(scene) is None:
        yield f"Scene {scene.id} has no cloud mask, so its clouds are in the result."


def about_pair(before: Scene, after: Scene) -> Iterator[str]:
    """Caveats from how two scenes differ."""
    yield from _about_baselines(before, after)
    yield from _about_dates(before, after)
    if sensor_of(before) != sensor_of(after):
        yield "The scenes are of different sensors, whose bands are not quite the same."


def about_overlap(percent: float) -> Iterator[str]:
    if percent < _SMALL_OVERLAP_PERCENT:
        yield f"The scenes overlap by only {percent:.0f} % of the smaller one."


def about_area(covered_percent: float) -> Iterator[str]:
    """Caveats if less than all of the area of interest lies in what all scenes show."""
    if covered_percent < 100:
        yield (
            f"The area of interest leaves the scenes, which cover {_percent(covered_percent)} % of it. The result and "
            "its numbers are of that part; take neighbouring scenes for the rest."
        )


def _about_baselines(before: Scene, after: Scene) -> Iterator[str]:
    first, second = processing_baseline(before), processing_baseline(after)
    if first and second and first != second:
        yield (
            f"The scenes were processed by different baselines ({first} and {second}); each has its own offset applied."
        )


def _about_dates(before: Scene, after: Scene) -> Iterator[str]:
    first, second = before.datetime, after.datetime
    if first is None or second is None:
        return
    if second < first:
        yield f"The scene given as before ({first:%Y-%m-%d}) is later than the one given as after ({second:%Y-%m-%d})."
    if abs(second - first) > _FAR_APART:
        yield "The scenes are more than five years apart, so much of the change may be slow."


def _percent(share: float) -> str:
    """With as many digits as show that it is neither 0 nor 100."""
    return f"{share:.0f}" if 1 <= share <= 99 else f"{share:.2g}" if share < 1 else f"{share:.2f}"
