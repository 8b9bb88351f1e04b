"""Planetary Computer: Sentinel-2 and Landsat. Its files are private: a token is added when they are read."""

from collections.abc import Sequence
from dataclasses import replace

from ...types import SceneId
from .. import landsat_products, sentinel_2_products
from ..catalogue import PLANETARY_COMPUTER, Catalogue, Holding
from ..landsat_products import LandsatName
from ..sentinel_2_products import ProductName
from ..stac import Item, StacApi
from ._provider import Provider


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

    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        if _is_landsat(scene_id.original_id):
            return landsat_products.find_products(api, collections, LandsatName.of(scene_id))
        return _newest_of_tile(api, collections, ProductName.of(scene_id))

    def product_of(self, item: Item) -> str:
        if _is_landsat(str(item["id"])):
            return landsat_products.product_of(item)
        return sentinel_2_products.product_of(item)


def _is_landsat(name: str) -> bool:
    return name.startswith("L")


def _newest_of_tile(api: StacApi, collections: Sequence[str], name: ProductName) -> list[Item]:
    """Ids of this catalogue leave out baseline and time of generation, and mean a tile's newest processing."""
    items = sentinel_2_products.find_products(api, collections, name)
    if name.tile is None or name.generated is not None:
        return items
    return sorted(items, key=_generated)[-1:]


def _generated(item: Item) -> str:
    """The time at which the product was generated: the last part of its full name."""
    return sentinel_2_products.product_of(item).rpartition("_")[2]


PROVIDER = PlanetaryComputer()
