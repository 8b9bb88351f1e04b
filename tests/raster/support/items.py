"""Scenes that are only an item: stored ones of real catalogues, and small ones that a test writes."""

from pathlib import Path
from typing import Any

from processing.raster.types import RemoteFile, Scene, SceneId
from tests.raster.support.served_catalogues import stored_item


def scene_of(item: dict[str, Any]) -> Scene:
    """A scene each of whose assets can be read."""
    sources = {key: RemoteFile(url=f"https://files.example/{key}.tif") for key in item["assets"]}
    return Scene(id=SceneId(provider="any", original_id="scene"), item=item, sources=sources)


def real_scene(shared_data: Path, name: str) -> Scene:
    return scene_of(stored_item(shared_data, name))


def scene(assets: dict[str, dict[str, Any]], platform: str = "sentinel-2b", **properties: Any) -> Scene:
    """A scene with these assets; `__` in the name of a property stands for a colon."""
    named = {name.replace("__", ":"): value for name, value in properties.items()}
    return scene_of({"id": "an-item", "properties": {"platform": platform, **named}, "assets": assets})
