"""From a scene id to a scene: in the sandbox if there is one, else by the provider that the id names."""

from collections.abc import Sequence

from .catalogues import ANY_JOB, get_provider
from .catalogues.patience import FOR_A_JOB, Patience
from .errors import SameSceneTwice
from .sandbox import find_in_sandbox, is_forced
from .threads import side_by_side
from .types import Catalogues, Config, Network, RasterJob, Scene, SceneId


def check_scene_id(scene_id: SceneId, *, in_sandbox: bool) -> None:
    """Raise InvalidSceneId if the id can name no scene of its provider. Asks no host.

    The sandbox also has ids that force an outcome.
    """
    if in_sandbox and is_forced(scene_id):
        return
    get_provider(scene_id.provider).check_id(scene_id)


def find_scene(
    scene_id: SceneId,
    catalogues: Catalogues,
    network: Network,
    bands: Sequence[str] = ANY_JOB,
    patience: Patience = FOR_A_JOB,
) -> Scene:
    """The one scene that the id names. If several catalogues or collections have it, one whose `bands` can be read.

    Raises SceneNotFound, AmbiguousSceneId or ProviderUnavailable.
    """
    check_scene_id(scene_id, in_sandbox=catalogues.sandbox is not None)
    if catalogues.sandbox is not None:
        return find_in_sandbox(scene_id, catalogues.sandbox)
    return get_provider(scene_id.provider).find(scene_id, catalogues, network, bands, patience)


def find_scenes(job: RasterJob, bands: Sequence[str], config: Config, patience: Patience = FOR_A_JOB) -> list[Scene]:
    """The scenes of a job that needs these bands, in its order. Raises as `find_scene` and `check_different` do."""
    found = side_by_side(
        lambda scene_id: find_scene(scene_id, config.catalogues, config.network, bands, patience), job.scene_ids
    )
    check_different(found)
    return found


def check_different(scenes: Sequence[Scene]) -> None:
    """Raise SameSceneTwice if two of the scenes are one product. Their ids, items and catalogues may differ."""
    first: dict[str, Scene] = {}
    for scene in scenes:
        product = get_provider(scene.id.provider).product_of(scene.item)
        other = first.setdefault(product, scene)
        if other is not scene:
            raise SameSceneTwice(
                f"{other.id} and {scene.id} are the same scene, {product}. Name two different scenes.",
                scene_ids=[str(other.id), str(scene.id)],
            )
