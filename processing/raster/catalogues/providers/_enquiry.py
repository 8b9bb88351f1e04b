"""One question to the catalogues that may know the answer, with a time for all of them together."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...errors import ProviderUnavailable
from ...threads import side_by_side
from ...types import Network, Scene, SceneId
from ..catalogue import Catalogue, Holding
from ..health import failed_lately, note_failure
from ..patience import Patience
from ..readiness import Readiness, readiness
from ..sources import scene_of
from ..stac import Item, StacApi, pace_of

LookUp = Callable[[StacApi, Sequence[str]], list[Item]]

# Seconds that a catalogue has for all its answers, if the scene may be had elsewhere.
_SECONDS = 4.0
_SECONDS_AFTER_A_FAILURE = 0.5


@dataclass(frozen=True, kw_only=True)
class Place:
    """One catalogue in which a scene may be. `is_last` of those whose files can be read with the operator's access."""

    catalogue: Catalogue
    holding: Holding
    can_be_read: bool
    is_last: bool


class Enquiry:
    """Looks for a scene with these `bands` in `places`. One that does not answer is not asked a second question."""

    def __init__(
        self, scene_id: SceneId, places: Sequence[Place], network: Network, bands: Sequence[str], patience: Patience
    ) -> None:
        self.scene_id, self.bands = scene_id, bands
        self._places, self._network = places, network
        self._ends = time.monotonic() + patience.seconds
        self._asks_again = patience.asks_again
        self._silent: dict[str, ProviderUnavailable] = {}  # by the host of the catalogue

    @property
    def silent(self) -> list[str]:
        """The hosts of the catalogues that did not answer."""
        return list(self._silent)

    @property
    def has_a_choice(self) -> bool:
        """Whether files of more than one catalogue can be read."""
        return sum(place.can_be_read for place in self._places) > 1

    def in_order(self, look_up: LookUp, *, insist: bool = True) -> list[Scene]:
        """The scenes of the catalogues, which are asked one after the other until one has the bands as COGs.

        If the others have nothing that can be read, the last one has all the time that is left, unless `insist` is
        False. Raises ProviderUnavailable if nothing can be read and a catalogue did not answer that may have it.
        """
        found: list[Scene] = []
        for place in self._talking():
            if insist and place.is_last and self._best(found) is Readiness.UNREADABLE:
                found += self._ask(place, look_up, self._left(), asks_again=self._asks_again)
            else:
                found += self._ask(place, look_up, min(_share(place.catalogue), self._left() / 2))
            if self._best(found) is Readiness.COGS:
                return found
        return self._whatever_can_be_read(found)

    def at_once(self, look_up: LookUp) -> list[Scene]:
        """The scenes of all catalogues. Raises ProviderUnavailable as `in_order` does."""
        places = self._talking()
        if len(places) == 1:
            return self.in_order(look_up)
        asked = side_by_side(
            lambda place: self._ask(place, look_up, min(_share(place.catalogue), self._left())), places
        )
        return self._whatever_can_be_read([scene for scenes in asked for scene in scenes])

    def _talking(self) -> list[Place]:
        return [place for place in self._places if place.catalogue.host not in self._silent]

    def _ask(self, place: Place, look_up: LookUp, seconds: float, *, asks_again: bool = False) -> list[Scene]:
        """Empty, and the catalogue is noted as silent, if it does not answer."""
        catalogue, holding = place.catalogue, place.holding
        hosts, pace = self._network.private_hosts, pace_of(catalogue)
        try:
            api = StacApi(catalogue.root, hosts, seconds=seconds, asks_again=asks_again, pace=pace)
            items = look_up(api, holding.collections)
        except ProviderUnavailable as error:
            note_failure(catalogue)
            self._silent[catalogue.host] = error
            return []
        return [scene_of(self.scene_id, item, catalogue, holding, self._network) for item in items]

    def _left(self) -> float:
        return self._ends - time.monotonic()

    def _best(self, scenes: Sequence[Scene]) -> Readiness:
        return max((readiness(scene, self.bands) for scene in scenes), default=Readiness.UNREADABLE)

    def _whatever_can_be_read(self, found: list[Scene]) -> list[Scene]:
        asked = (self._silent.get(place.catalogue.host) for place in self._places if place.can_be_read)
        lost = next((error for error in asked if error is not None), None)
        if lost is not None and self._best(found) is Readiness.UNREADABLE:
            raise lost
        return found


def _share(catalogue: Catalogue) -> float:
    return _SECONDS_AFTER_A_FAILURE if failed_lately(catalogue) else _SECONDS
