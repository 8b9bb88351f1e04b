"""Planetary Computer: Sentinel-2 and Landsat. Its files are private: a token is added when they are read."""

from ...types import Catalogues, Network, Scene, SceneId
from ..landsat_products import LandsatName
from ..landsat_products import find_products as find_landsat
from ..sentinel_2_products import ProductName, product_of
from ..sentinel_2_products import find_products as find_sentinel_2
from ..sources import sources_of
from ..stac import Item, StacApi
from ._provider import Provider, only_one

_TOKEN_ROOT = "https://planetarycomputer.microsoft.com/api/sas/v1/token"  # noqa: S105
_SENTINEL_2, _LANDSAT = "sentinel-2-l2a", "landsat-c2-l2"


class PlanetaryComputer(Provider):
    name = "planetary-computer"
    title = "Planetary Computer"
    default_roots = ("https://planetarycomputer.microsoft.com/api/stac/v1",)

    def check_id(self, scene_id: SceneId) -> None:
        if scene_id.original_id.startswith("L"):
            LandsatName.of(scene_id)
        else:
            ProductName.of(scene_id)

    def find(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> Scene:
        if scene_id.original_id.startswith("L"):
            collection, landsat = _LANDSAT, LandsatName.of(scene_id)
            items = self.ask_in_order(catalogues, network, lambda api: find_landsat(api, [_LANDSAT], landsat))
        else:
            collection, sentinel_2 = _SENTINEL_2, ProductName.of(scene_id)
            items = self.ask_in_order(catalogues, network, lambda api: _newest_of_tile(api, sentinel_2))
        token_root = catalogues.token_root or _TOKEN_ROOT
        item = only_one(scene_id, {product_of(item): item for item in items})
        return Scene(id=scene_id, item=item, sources=sources_of(item, network, f"{token_root}/{collection}"))


def _newest_of_tile(api: StacApi, name: ProductName) -> list[Item]:
    """Ids of this catalogue leave out baseline and time of generation, and mean a tile's newest processing."""
    items = find_sentinel_2(api, [_SENTINEL_2], name)
    if name.tile is None or name.generated is not None:
        return items
    return sorted(items, key=_generated)[-1:]


def _generated(item: Item) -> str:
    """The time at which the product was generated: the last part of its full name."""
    return product_of(item).rpartition("_")[2]


PROVIDER = PlanetaryComputer()
