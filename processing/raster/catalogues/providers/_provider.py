"""What a provider has to define, and what providers share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from ...errors import AmbiguousSceneId, ProviderUnavailable, SceneNotFound
from ...types import Catalogues, Network, Scene, SceneId
from ..stac import Item, StacApi

_MOST_CANDIDATES = 10


class Provider(ABC):
    """Finds the one scene that an id names, in one or more STAC catalogues."""

    name: ClassVar[str]
    title: ClassVar[str]
    default_roots: ClassVar[tuple[str, ...]]

    @abstractmethod
    def check_id(self, scene_id: SceneId) -> None:
        """Raise InvalidSceneId if no scene of this catalogue can have that id. Asks no host."""

    @abstractmethod
    def find(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> Scene:
        """The one scene that the id names. Raises SceneNotFound, AmbiguousSceneId or ProviderUnavailable."""

    def ask_in_order(
        self, catalogues: Catalogues, network: Network, ask: Callable[[StacApi], list[Item]]
    ) -> list[Item]:
        """The items of the first catalogue that has any, in the order of its roots.

        A catalogue that is down is skipped; its error is raised only if no other has the item.
        """
        unavailable: ProviderUnavailable | None = None
        for root in catalogues.roots.get(self.name) or self.default_roots:
            try:
                if items := ask(StacApi(root, network.private_hosts)):
                    return items
            except ProviderUnavailable as error:
                unavailable = unavailable or error
        if unavailable is not None:
            raise unavailable
        return []


def only_one(scene_id: SceneId, candidates: Mapping[str, Item]) -> Item:
    """The only candidate. Their keys are the full names that a caller can choose from if there are several.

    Raises SceneNotFound or AmbiguousSceneId.
    """
    if not candidates:
        raise SceneNotFound(f"No scene of the catalogue is called {scene_id}.", scene_id=str(scene_id))
    if len(candidates) > 1:
        shown = [f"{scene_id.provider}:{name}" for name in sorted(candidates)[:_MOST_CANDIDATES]]
        raise AmbiguousSceneId(
            f"{scene_id} names more than one scene. Ask for one of them, such as {shown[0]}.",
            scene_id=str(scene_id),
            candidates=shown,
        )
    return next(iter(candidates.values()))
