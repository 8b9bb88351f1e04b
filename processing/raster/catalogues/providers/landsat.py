"""Landsat Collection 2 Level-2 surface reflectance: LandsatLook, Earth Search, Planetary Computer.

The files of the first two are in requester-pays buckets. Without access to them those of Planetary Computer are read.
"""

from collections.abc import Mapping, Sequence

from ...types import Scene, SceneId
from ..catalogue import EARTH_SEARCH, LANDSATLOOK, PLANETARY_COMPUTER, Catalogue, Holding
from ..landsat_products import LandsatName, find_products, newest_of, product_of
from ..stac import Item, StacApi
from ._provider import Provider, only_one


class Landsat(Provider):
    name = "landsat"
    title = "Landsat Collection 2 Level-2"
    default_roots = (LANDSATLOOK.root, EARTH_SEARCH.root, PLANETARY_COMPUTER.root)

    def check_id(self, scene_id: SceneId) -> None:
        LandsatName.of(scene_id)

    def names_one_product(self, scene_id: SceneId) -> bool:
        return LandsatName.of(scene_id).is_whole

    def holding(self, catalogue: Catalogue, scene_id: SceneId) -> Holding:
        return catalogue.landsat

    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        return find_products(api, collections, LandsatName.of(scene_id))

    def product_of(self, item: Item) -> str:
        return product_of(item)

    def meant(self, scene_id: SceneId, products: Mapping[str, list[Scene]]) -> list[Scene]:
        return only_one(scene_id, products if self.names_one_product(scene_id) else newest_of(products))


PROVIDER = Landsat()
