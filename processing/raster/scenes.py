"""From a scene id to a scene: the sandbox for test keys, else the provider that the id names."""

from .catalogues.providers import get_provider
from .sandbox.provider import find_in_sandbox
from .types import Config, Scene, SceneId


def check_scene_id(scene_id: SceneId) -> None:
    """Raise InvalidSceneId where the id can mean no scene of its provider. Asks nobody."""
    get_provider(scene_id.provider).check_id(scene_id)


def find_scene(scene_id: SceneId, config: Config) -> Scene:
    """The one scene that the id means. Raises SceneNotFound, AmbiguousSceneId or ProviderUnavailable."""
    check_scene_id(scene_id)
    if config.use_sandbox:
        return find_in_sandbox(scene_id, config.sandbox_dir)
    return get_provider(scene_id.provider).find(scene_id, config)
