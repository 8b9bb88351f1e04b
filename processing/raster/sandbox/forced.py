"""Scene ids with which a test key forces an outcome, so that callers can try how their programs take each.

All go through the real queue and pipeline. The files of some are written by `catalogue`, below the folder `FOLDER`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..catalogues.providers import only_one
from ..errors import ProviderUnavailable, SceneNotFound
from ..types import LocalFile, Scene, SceneId

FOLDER = "forced"
CLOUDY, NO_DATA, NO_OVERLAP = "TEST_CLOUDY", "TEST_NO_DATA", "TEST_NO_OVERLAP"
_SLOW_SECONDS = 20.0

# Finds the scene of an id among the sandbox's own scenes, the latest last, and the folder of the catalogue.
_Finder = Callable[[SceneId, list[Scene], Path], Scene]


class ForcedOutage(ProviderUnavailable):
    """Tried again soon, so that its end can be waited for."""

    longest_pause: ClassVar[float] = 0.5


def is_forced(scene_id: SceneId) -> bool:
    return scene_id.provider == "sentinel-2" and scene_id.original_id in _FINDERS


def find_forced(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    """The scene of a forced outcome, or the error that it forces."""
    return _FINDERS[scene_id.original_id](scene_id, scenes, catalogue)


def read_scene(scene_id: SceneId, path: Path) -> Scene:
    """The scene of an item in the sandbox, whose files lie beside it."""
    item: dict[str, Any] = json.loads(path.read_text())
    sources = {key: LocalFile(path=path.parent / asset["href"]) for key, asset in item["assets"].items()}
    return Scene(id=scene_id, item=item, sources=sources, catalogue="sandbox")


def _latest(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    return replace(scenes[-1], id=scene_id)


def _slow(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    return replace(scenes[-1], id=scene_id, least_seconds=_SLOW_SECONDS)


def _unknown(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    raise SceneNotFound(f"No catalogue has the scene {scene_id}.", scene_id=str(scene_id))


def _ambiguous(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    return replace(scenes[0], item=only_one(scene_id, {scene.item_id: scene.item for scene in scenes}))


def _unreadable(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    """Its files are no rasters."""
    file = LocalFile(path=catalogue / "catalog.json")
    return replace(scenes[-1], id=scene_id, sources=dict.fromkeys(scenes[-1].sources, file))


def _outage(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    raise ForcedOutage.at("catalogue.invalid", "does not answer")


def _written(scene_id: SceneId, scenes: list[Scene], catalogue: Path) -> Scene:
    name = scene_id.original_id
    return read_scene(scene_id, catalogue / FOLDER / name / f"{name}.json")


_FINDERS: Mapping[str, _Finder] = {
    "TEST_OK": _latest,
    "TEST_SLOW": _slow,
    "TEST_NOT_FOUND": _unknown,
    "TEST_AMBIGUOUS": _ambiguous,
    "TEST_UNREADABLE": _unreadable,
    "TEST_PROVIDER_DOWN": _outage,
    NO_DATA: _written,
    CLOUDY: _written,
    NO_OVERLAP: _written,
}
