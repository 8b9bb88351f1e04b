"""Finds any scene id in the sandbox's catalogue. Takes the place of every provider for test keys."""

import json
from pathlib import Path
from typing import Any

from ..catalogues.providers import only_one
from ..catalogues.sentinel_2_products import ProductName
from ..errors import SceneNotFound
from ..types import LocalFile, Scene, SceneId
from .location import catalogue_folder


def find_in_sandbox(scene_id: SceneId, directory: Path) -> Scene:
    """The invented scene with that id. Raises SceneNotFound, which names all scenes, or AmbiguousSceneId."""
    items = _items(_catalogue(directory))
    name = ProductName.parse(scene_id.original_id)
    matches = [item for item in items if name is not None and name.names(items[item]["id"])]
    if not matches:
        known = ", ".join(sorted(f"sentinel-2:{item['id']}" for item in items.values()))
        raise SceneNotFound(
            f"A test key reads the sandbox, which has no scene {scene_id}. It has: {known}.",
            scene_id=str(scene_id),
        )
    item = only_one(scene_id, {items[folder]["id"]: items[folder] for folder in matches})
    return _scene(scene_id, matches[0], dict(item))


def _catalogue(directory: Path) -> Path:
    folder = catalogue_folder(directory)
    if not folder.exists():
        # Imported late, as it loads GDAL, which the web process does not need once the sandbox is written.
        from .catalogue import sandbox_catalogue

        sandbox_catalogue(directory)
    return folder


def _items(catalogue: Path) -> dict[Path, dict[str, Any]]:
    """Every item of the catalogue by its folder."""
    links = json.loads((catalogue / "catalog.json").read_text())["links"]
    paths = [catalogue / link["href"] for link in links if link["rel"] == "item"]
    return {path.parent: json.loads(path.read_text()) for path in paths}


def _scene(scene_id: SceneId, folder: Path, item: dict[str, Any]) -> Scene:
    sources = {key: LocalFile(path=folder / asset["href"]) for key, asset in item["assets"].items()}
    return Scene(id=scene_id, item=item, sources=sources, catalogue="sandbox")
