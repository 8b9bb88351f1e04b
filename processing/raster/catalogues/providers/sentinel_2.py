"""Sentinel-2 L2A: Earth Search, Planetary Computer, CDSE. Any STAC API works whose items have their product names."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ...errors import ProviderUnavailable, RasterError, SceneNotFound
from ...types import Scene, SceneId
from ..catalogue import CDSE, EARTH_SEARCH, PLANETARY_COMPUTER, Catalogue, Holding
from ..readiness import Readiness, best_of, readiness
from ..sentinel_2_items import ItemId, find_of_day
from ..sentinel_2_products import ProductName, find_products, product_of
from ..stac import Item, StacApi
from ._enquiry import Enquiry
from ._processings import newest_processing
from ._provider import Provider


class Sentinel2(Provider):
    name = "sentinel-2"
    title = "Sentinel-2 L2A"
    default_roots = (EARTH_SEARCH.root, PLANETARY_COMPUTER.root, CDSE.root)

    def check_id(self, scene_id: SceneId) -> None:
        if ItemId.parse(scene_id.original_id) is None:
            ProductName.of(scene_id)

    def names_one_product(self, scene_id: SceneId) -> bool:
        return ItemId.parse(scene_id.original_id) is not None or ProductName.of(scene_id).is_whole

    def holding(self, catalogue: Catalogue, scene_id: SceneId) -> Holding:
        return catalogue.sentinel_2

    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        if ItemId.parse(scene_id.original_id):
            return api.items(collections, [scene_id.original_id])
        return find_products(api, collections, ProductName.of(scene_id))

    def product_of(self, item: Item) -> str:
        return product_of(item)

    def answer(self, enquiry: Enquiry, scene_id: SceneId) -> Scene:
        """As every provider does. For the id of an item that cannot be had, or has no COGs, other items will do."""
        item_id = ItemId.parse(scene_id.original_id)
        if item_id is None:
            return super().answer(enquiry, scene_id)
        look_up = partial(self.look_up, scene_id)
        try:
            named = self.best(enquiry, scene_id, enquiry.in_order(look_up, insist=not enquiry.has_a_choice))
        except (SceneNotFound, ProviderUnavailable) as error:
            return self._stand_in(enquiry, scene_id, item_id, error)
        return self._best_of_product(enquiry, scene_id, named)

    def _best_of_product(self, enquiry: Enquiry, scene_id: SceneId, named: Scene) -> Scene:
        """The item itself if its bands are COGs, else the one of its product that can be read best."""
        product, how_well = product_of(named.item), readiness(named, enquiry.bands)
        if how_well is Readiness.COGS or ProductName.parse(product) is None:
            return named
        try:
            other = super().answer(enquiry, replace(scene_id, original_id=product))
        except RasterError as error:
            if how_well is Readiness.UNREADABLE and error.retryable:
                raise
            return named
        return best_of([named, other], enquiry.bands)

    def _stand_in(self, enquiry: Enquiry, scene_id: SceneId, item_id: ItemId, why: RasterError) -> Scene:
        """The product of that satellite, tile and day, if there is one that can be read. Raises `why` if there is none.

        Several are processings of one sensing, of which the newest is taken, or the id is ambiguous.
        """
        found = enquiry.at_once(partial(find_of_day, item_id))
        others = {product_of(scene.item) for scene in found if item_id.differs_from(scene.item)}
        products: dict[str, list[Scene]] = {}
        for scene in found:
            if product_of(scene.item) not in others and readiness(scene, enquiry.bands):
                products.setdefault(product_of(scene.item), []).append(scene)
        if not products:
            raise why
        taken = best_of(newest_processing(scene_id, products), enquiry.bands)
        return replace(taken, warnings=(_about_stand_in(taken, enquiry.silent),))


def _about_stand_in(taken: Scene, silent: Sequence[str]) -> str:
    missing = f"{' and '.join(silent)} did not answer" if silent else "no catalogue has an item with this id"
    return (
        f"{taken.id} was asked for and {product_of(taken.item)} taken, from {taken.catalogue}: {missing}, and this is "
        "the product of the same satellite, tile and day. Name the product itself if you want no other."
    )


PROVIDER = Sentinel2()
