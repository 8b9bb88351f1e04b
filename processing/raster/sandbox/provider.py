"""Finds any scene id in the sandbox's catalogue. Takes the place of every provider for test keys."""

import json
from pathlib import Path

from ..catalogues.providers import only_one
from ..catalogues.sentinel_2_products import ProductName
from ..errors import SceneNotFound
from ..types import Scene, SceneId
from .forced import find_forced, is_forced, read_scene
from .location import catalogue_folder


def find_in_sandbox(scene_id: SceneId, directory: Path) -> Scene:
    """The invented scene with that id. Raises SceneNotFound, which names all scenes, or AmbiguousSceneId.

    An id that forces an outcome raises what it forces.
    """
    catalogue = _catalogue(directory)
    scenes = _scenes(scene_id, catalogue)
    if is_forced(scene_id):
        return find_forced(scene_id, scenes, catalogue)
    name = ProductName.parse(scene_id.original_id)
    matches = {scene.item_id: scene for scene in scenes if name is not None and name.names(scene.item_id)}
    if not matches:
        known = ", ".join(sorted(f"sentinel-2:{scene.item_id}" for scene in scenes))
        raise SceneNotFound(
            f"A test key reads the sandbox, which has no scene {scene_id}. It has: {known}.",
            scene_id=str(scene_id),
        )
    item = only_one(scene_id, {found: scene.item for found, scene in matches.items()})
    return matches[item["id"]]


def _catalogue(directory: Path) -> Path:
    folder = catalogue_folder(directory)
    if not folder.exists():
        # Imported late, as it loads GDAL, which the web process does not need once the sandbox is written.
        from .catalogue import sandbox_catalogue

        sandbox_catalogue(directory)
    return folder


def _scenes(scene_id: SceneId, catalogue: Path) -> list[Scene]:
    """Every scene of the catalogue, the latest last, as found by that id."""
    links = json.loads((catalogue / "catalog.json").read_text())["links"]
    return [read_scene(scene_id, catalogue / link["href"]) for link in links if link["rel"] == "item"]
