"""What a provider has to define, and how it finds a scene in several catalogues."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from ...errors import AmbiguousSceneId, ProviderUnavailable, SceneNotFound
from ...types import Catalogues, Network, Scene, SceneId
from ..catalogue import Catalogue, Holding, catalogue_at
from ..health import failed_lately, healthy_first, note_failure
from ..readiness import Readiness, best_of, readiness
from ..sources import scene_of
from ..stac import Item, StacApi, pace_of

Candidate = TypeVar("Candidate")

# Without a job, the band of which every grid is taken stands for all others.
ANY_JOB = ("red",)
_MOST_CANDIDATES = 10
# Seconds that a catalogue has for all its answers, if the scene may be had elsewhere.
_SECONDS = 4.0
_SECONDS_AFTER_A_FAILURE = 0.5


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One catalogue in which a scene may be. `is_last` of those whose files can be read with the operator's access."""

    catalogue: Catalogue
    holding: Holding
    can_be_read: bool
    is_last: bool


class Provider(ABC):
    """Finds the one scene that an id names, in one or more STAC catalogues."""

    name: ClassVar[str]
    title: ClassVar[str]
    default_roots: ClassVar[tuple[str, ...]]

    @abstractmethod
    def check_id(self, scene_id: SceneId) -> None:
        """Raise InvalidSceneId if no scene of this catalogue can have that id. Asks no host."""

    @abstractmethod
    def holding(self, catalogue: Catalogue, scene_id: SceneId) -> Holding:
        """The collections of the catalogue in which the scene may be."""

    @abstractmethod
    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        """The items of one catalogue that the id can mean, those of the first collection first."""

    @abstractmethod
    def product_of(self, item: Item) -> str:
        """Name of the item's product. Items with the same name are alternatives, in whichever catalogue they are."""

    def catalogue_at(self, root: str) -> Catalogue:
        """What is known of the catalogue with this root."""
        return catalogue_at(root)

    def find(
        self, scene_id: SceneId, catalogues: Catalogues, network: Network, bands: Sequence[str] = ANY_JOB
    ) -> Scene:
        """The one scene that the id names, from the catalogue and collection where `bands` can be read best.

        Catalogues are asked in the order of their roots, until one has the bands as COGs. One that failed lately is
        asked after the others, one whose files cannot be read last. A catalogue that is down is skipped; its error is
        raised only if no other has bands that can be read.

        Raises SceneNotFound, AmbiguousSceneId or ProviderUnavailable.
        """
        found: list[Scene] = []
        unavailable: ProviderUnavailable | None = None
        order = self._in_order(scene_id, catalogues, network)
        for place in order:
            patient = place.is_last and _best(found, bands) is Readiness.UNREADABLE
            try:
                found += self._scenes(scene_id, place, network, None if patient else _seconds_for(place.catalogue))
            except ProviderUnavailable as error:
                note_failure(place.catalogue)
                unavailable = unavailable or (error if place.can_be_read else None)
            if _best(found, bands) is Readiness.COGS:
                break
        if unavailable is not None and _best(found, bands) is Readiness.UNREADABLE:
            raise unavailable
        return best_of(self._one_product(scene_id, found), bands)

    def _in_order(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> list[_Place]:
        roots = catalogues.roots.get(self.name) or self.default_roots
        known = healthy_first(_with_tokens(self.catalogue_at(root), catalogues.token_root) for root in roots)
        held = [(catalogue, self.holding(catalogue, scene_id)) for catalogue in known]
        readable = [catalogue for catalogue, holding in held if holding.files.can_be_read(network.s3)]
        last = (readable or known)[-1]
        places = [
            _Place(catalogue=one, holding=holding, can_be_read=one in readable, is_last=one is last)
            for one, holding in held
        ]
        return sorted(places, key=lambda place: not place.can_be_read)

    def _scenes(self, scene_id: SceneId, place: _Place, network: Network, seconds: float | None) -> list[Scene]:
        catalogue, holding = place.catalogue, place.holding
        api = StacApi(catalogue.root, network.private_hosts, seconds=seconds, pace=pace_of(catalogue))
        items = self.look_up(scene_id, api, holding.collections)
        return [scene_of(scene_id, item, catalogue, holding, network) for item in items]

    def _one_product(self, scene_id: SceneId, scenes: Sequence[Scene]) -> list[Scene]:
        """The scenes, if all are of one product. Raises SceneNotFound or AmbiguousSceneId."""
        products: dict[str, list[Scene]] = {}
        for scene in scenes:
            products.setdefault(self.product_of(scene.item), []).append(scene)
        return only_one(scene_id, products)


def _seconds_for(catalogue: Catalogue) -> float:
    return _SECONDS_AFTER_A_FAILURE if failed_lately(catalogue) else _SECONDS


def _with_tokens(catalogue: Catalogue, token_root: str) -> Catalogue:
    """The catalogue with the operator's own source of tokens, if it needs tokens and there is one."""
    return replace(catalogue, token_root=token_root) if catalogue.token_root and token_root else catalogue


def _best(scenes: Sequence[Scene], bands: Sequence[str]) -> Readiness:
    return max((readiness(scene, bands) for scene in scenes), default=Readiness.UNREADABLE)


def only_one(scene_id: SceneId, candidates: Mapping[str, Candidate]) -> Candidate:
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
