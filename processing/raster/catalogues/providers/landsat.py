"""Landsat Collection 2 Level-2 surface reflectance: LandsatLook, then Earth Search.

LandsatLook's files over https need a login; with access to buckets they are read from the requester-pays bucket.
"""

from ...types import Catalogues, Network, Scene, SceneId
from ..landsat_products import LandsatName, find_products
from ..sources import sources_of
from ._provider import Provider, only_one

COLLECTIONS = ("landsat-c2l2-sr", "landsat-c2-l2")


class Landsat(Provider):
    name = "landsat"
    title = "Landsat Collection 2 Level-2"
    default_roots = ("https://landsatlook.usgs.gov/stac-server", "https://earth-search.aws.element84.com/v1")

    def check_id(self, scene_id: SceneId) -> None:
        LandsatName.of(scene_id)

    def find(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> Scene:
        name = LandsatName.of(scene_id)
        items = self.ask_in_order(catalogues, network, lambda api: find_products(api, COLLECTIONS, name))
        item = only_one(scene_id, {str(item["id"]): item for item in items})
        return Scene(id=scene_id, item=item, sources=sources_of(item, network))


PROVIDER = Landsat()
