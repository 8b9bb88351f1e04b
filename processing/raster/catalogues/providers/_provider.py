"""What a provider has to define, and how it finds a scene in several catalogues."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeVar

from ...errors import AmbiguousSceneId, SceneNotFound
from ...types import Catalogues, Network, Scene, SceneId
from ..catalogue import Catalogue, Holding, catalogue_at
from ..health import healthy_first
from ..patience import FOR_A_JOB, Patience
from ..readiness import best_of
from ..stac import Item, StacApi
from ._enquiry import Enquiry, Place

Candidate = TypeVar("Candidate")

# Without a job, the band of which every grid is taken stands for all others.
ANY_JOB = ("red",)
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
    def names_one_product(self, scene_id: SceneId) -> bool:
        """Whether no two products can have that id, so that the first catalogue which has it will do."""

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

    def meant(self, scene_id: SceneId, products: Mapping[str, list[Scene]]) -> list[Scene]:
        """The scenes of the one product that the id means, of all that it can mean, by their names.

        Raises SceneNotFound or AmbiguousSceneId.
        """
        return only_one(scene_id, products)

    def find(
        self,
        scene_id: SceneId,
        catalogues: Catalogues,
        network: Network,
        bands: Sequence[str] = ANY_JOB,
        patience: Patience = FOR_A_JOB,
    ) -> Scene:
        """The one scene that the id names, from the catalogue and collection where `bands` can be read best.

        For the name of one product, catalogues are asked in the order of their roots, until one has the bands as COGs.
        One that failed lately is asked after the others, one whose files cannot be read last. For a name that several
        products can have all are asked at once, as one catalogue alone may have a gap where the others differ. A
        catalogue that is down is skipped; its error is raised only if no other has bands that can be read.

        Raises SceneNotFound, AmbiguousSceneId or ProviderUnavailable.
        """
        places = self._places(scene_id, catalogues, network)
        return self.answer(Enquiry(scene_id, places, network, bands, patience), scene_id)

    def answer(self, enquiry: Enquiry, scene_id: SceneId) -> Scene:
        """The answer to an enquiry for the scene with this id."""
        look_up = partial(self.look_up, scene_id)
        if self.names_one_product(scene_id):
            return self.best(enquiry, scene_id, enquiry.in_order(look_up))
        scene = self.best(enquiry, scene_id, enquiry.at_once(look_up))
        return replace(scene, warnings=_about_silent(scene_id, enquiry.silent))

    def best(self, enquiry: Enquiry, scene_id: SceneId, scenes: Sequence[Scene]) -> Scene:
        """Of the product that is meant, the scene that can be read best."""
        products: dict[str, list[Scene]] = {}
        for scene in scenes:
            products.setdefault(self.product_of(scene.item), []).append(scene)
        return best_of(self.meant(scene_id, products), enquiry.bands)

    def _places(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> list[Place]:
        roots = catalogues.roots.get(self.name) or self.default_roots
        known = healthy_first(_with_tokens(self.catalogue_at(root), catalogues.token_root) for root in roots)
        held = [(catalogue, self.holding(catalogue, scene_id)) for catalogue in known]
        readable = [catalogue for catalogue, holding in held if holding.files.can_be_read(network.s3)]
        last = (readable or known)[-1]
        places = [
            Place(catalogue=one, holding=holding, can_be_read=one in readable, is_last=one is last)
            for one, holding in held
        ]
        return sorted(places, key=lambda place: not place.can_be_read)


def _with_tokens(catalogue: Catalogue, token_root: str) -> Catalogue:
    """The catalogue with the operator's own source of tokens, if it needs tokens and there is one."""
    return replace(catalogue, token_root=token_root) if catalogue.token_root and token_root else catalogue


def _about_silent(scene_id: SceneId, silent: Sequence[str]) -> tuple[str, ...]:
    if not silent:
        return ()
    hosts = " and ".join(silent)
    return (
        f"{scene_id} was looked for without {hosts}, which did not answer and may have other scenes that it fits. "
        "Compare the product in the provenance with the one that you mean, or give its whole name.",
    )


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
