"""Sentinel-2 L2A: Earth Search, Planetary Computer, CDSE. Any STAC API works whose items have their product names."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ...errors import RasterError
from ...radiometry.sensors import SENTINEL_2
from ...types import Catalogues, Network, Scene, SceneId
from ..catalogue import CDSE, EARTH_SEARCH, PLANETARY_COMPUTER, Catalogue, Holding
from ..readiness import Readiness, best_of, readiness
from ..sentinel_2_products import ProductName, find_products, product_of
from ..stac import Item, StacApi
from ._provider import ANY_JOB, Provider

# Ids of Earth Search's items: S2A_32TPS_20230602_0_L2A, S2B_T38XNF_20250422T091553_L2A.
_ITEM_ID = re.compile(rf"(?:{SENTINEL_2.satellites})_" r"(\d{1,2}[A-Z]{3}_\d{8}_\d|T\d{2}[A-Z]{3}_\d{8}T\d{6})_L2A")


class Sentinel2(Provider):
    name = "sentinel-2"
    title = "Sentinel-2 L2A"
    default_roots = (EARTH_SEARCH.root, PLANETARY_COMPUTER.root, CDSE.root)

    def check_id(self, scene_id: SceneId) -> None:
        if not _ITEM_ID.fullmatch(scene_id.original_id):
            ProductName.of(scene_id)

    def holding(self, catalogue: Catalogue, scene_id: SceneId) -> Holding:
        return catalogue.sentinel_2

    def look_up(self, scene_id: SceneId, api: StacApi, collections: Sequence[str]) -> list[Item]:
        if _ITEM_ID.fullmatch(scene_id.original_id):
            return api.items(collections, [scene_id.original_id])
        return find_products(api, collections, ProductName.of(scene_id))

    def product_of(self, item: Item) -> str:
        return product_of(item)

    def find(
        self, scene_id: SceneId, catalogues: Catalogues, network: Network, bands: Sequence[str] = ANY_JOB
    ) -> Scene:
        """As every provider does. If the id is that of an item without COGs, other items of its product will do."""
        named = super().find(scene_id, catalogues, network, bands)
        product, how_well = product_of(named.item), readiness(named, bands)
        has_others = _ITEM_ID.fullmatch(scene_id.original_id) and ProductName.parse(product)
        if how_well is Readiness.COGS or not has_others:
            return named
        try:
            other = super().find(replace(scene_id, original_id=product), catalogues, network, bands)
        except RasterError as error:
            if how_well is Readiness.UNREADABLE and error.retryable:
                raise
            return named
        return replace(best_of([named, other], bands), id=scene_id)


PROVIDER = Sentinel2()
