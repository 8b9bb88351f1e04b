"""What a caller should know before trusting a result: the sentences become the job's warnings."""

from collections.abc import Iterator, Sequence

from ..items import caveats as of_items
from ..reading import OpenScene
from . import doubts

_MUCH_MASKED_PERCENT = 50.0


def about_scenes(scenes: Sequence[OpenScene], *, masks_wanted: bool) -> Iterator[str]:
    """Caveats from the metadata of the scenes, and from how they were found."""
    for opened in scenes:
        yield from of_items.about_scene(opened.scene, masks_wanted=masks_wanted)
        yield from doubts.about_scene(opened)
    if len(scenes) > 1:
        yield from of_items.about_pair(scenes[0].scene, scenes[-1].scene)


def about_masked(percent: float) -> Iterator[str]:
    """Caveats from the pixels that were read."""
    if percent > _MUCH_MASKED_PERCENT:
        yield f"{percent:.0f} % of the pixels are masked as cloud, shadow or snow."
