"""Planetary Computer: Sentinel-2 and Landsat. Its files are private: a token is added when they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...types import Scene, SceneId
from .. import landsat_products, sentinel_2_products
from ..catalogue import PLANETARY_COMPUTER, Catalogue, Holding
from ..landsat_products import LandsatName
from ..sentinel_2_products import ProductName
from ..stac import Item, StacApi
from ._processings import newest_processing
from ._provider import Provider, only_one


class PlanetaryComputer(Provider):
    name = "planetary-computer"
    title = "Planetary Computer"
    default_roots = (PLANETARY_COMPUTER.root,)

    def check_id(self, scene_id: SceneId) -> None:
        if _is_landsat(scene_id.original_id):
            LandsatName.of(scene_id)
        else:
            ProductName.of(scene_id)

    def catalogue_at(self, root: str) -> Catalogue:
        return replace(PLANETARY_COMPUTER, root=root)

    def holding(self, catalogue: Catalogue, scene_id: SceneId) -> Holding:
        return catalogue.landsat if _is_landsat(scene_id.original_id) else catalogue.sentinel_2

    def names_one_product(self, scene_id: SceneId) -> bool:
        name = LandsatName if _is_landsat(scene_id.original_id) else ProductName
        return name.of(scene_id).is_whole

    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        if _is_landsat(scene_id.original_id):
            return landsat_products.find_products(api, collections, LandsatName.of(scene_id))
        return sentinel_2_products.find_products(api, collections, ProductName.of(scene_id))

    def product_of(self, item: Item) -> str:
        if _is_landsat(str(item["id"])):
            return landsat_products.product_of(item)
        return sentinel_2_products.product_of(item)

    def meant(self, scene_id: SceneId, products: Mapping[str, list[Scene]]) -> list[Scene]:
        """Ids of this catalogue may leave out baseline and time of generation, and mean the newest processing."""
        if self.names_one_product(scene_id):
            return only_one(scene_id, products)
        if _is_landsat(scene_id.original_id):
            return only_one(scene_id, landsat_products.newest_of(products))
        return newest_processing(scene_id, products)


def _is_landsat(name: str) -> bool:
    return name.startswith("L")


PROVIDER = PlanetaryComputer()
