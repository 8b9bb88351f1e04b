"""Sentinel-2 L2A: Earth Search by default. Any STAC API works whose items have their product names, such as CDSE's."""

import re

from ...radiometry.sensors import SENTINEL_2
from ...types import Catalogues, Network, Scene, SceneId
from ..sentinel_2_products import ProductName, find_products, product_of
from ..sources import sources_of
from ._provider import Provider, only_one

# The older collection of Earth Search first: its COGs are public and complete up to the day.
COLLECTIONS = ("sentinel-2-l2a", "sentinel-2-c1-l2a")
# Ids of Earth Search's items: S2A_32TPS_20230602_0_L2A, S2B_T38XNF_20250422T091553_L2A.
_ITEM_ID = re.compile(rf"(?:{SENTINEL_2.satellites})_" r"(\d{1,2}[A-Z]{3}_\d{8}_\d|T\d{2}[A-Z]{3}_\d{8}T\d{6})_L2A")


class Sentinel2(Provider):
    name = "sentinel-2"
    title = "Sentinel-2 L2A"
    default_roots = ("https://earth-search.aws.element84.com/v1",)

    def check_id(self, scene_id: SceneId) -> None:
        if not _ITEM_ID.fullmatch(scene_id.original_id):
            ProductName.of(scene_id)

    def find(self, scene_id: SceneId, catalogues: Catalogues, network: Network) -> Scene:
        if _ITEM_ID.fullmatch(scene_id.original_id):
            items = self.ask_in_order(catalogues, network, lambda api: api.items(COLLECTIONS, [scene_id.original_id]))
        else:
            name = ProductName.of(scene_id)
            items = self.ask_in_order(catalogues, network, lambda api: find_products(api, COLLECTIONS, name))
        item = only_one(scene_id, {product_of(item): item for item in items})
        return Scene(id=scene_id, item=item, sources=sources_of(item, network))


PROVIDER = Sentinel2()
