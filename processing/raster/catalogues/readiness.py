"""How well a job can read one of several items of the same product."""

from collections.abc import Sequence
from enum import IntEnum

from ..errors import BandNotFound
from ..radiometry.assets import is_jpeg_2000
from ..radiometry.bands import find_asset
from ..types import Scene


class Readiness(IntEnum):
    """The more, the better."""

    UNREADABLE = 0  # a band is missing, or nothing can be read in which it is
    WHOLE_FILES = 1  # JPEG 2000 has to be fetched whole
    COGS = 2


def readiness(scene: Scene, bands: Sequence[str]) -> Readiness:
    """How well the bands can be read."""
    try:
        keys = [find_asset(scene, band) for band in bands]
    except BandNotFound:
        return Readiness.UNREADABLE
    return Readiness.WHOLE_FILES if any(is_jpeg_2000(scene.assets[key]) for key in keys) else Readiness.COGS


def best_of(scenes: Sequence[Scene], bands: Sequence[str]) -> Scene:
    """The scene whose bands can be read best. The first of those that are alike."""
    return max(scenes, key=lambda scene: readiness(scene, bands))
