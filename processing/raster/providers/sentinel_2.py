"""Sentinel-2 L2A from a STAC API that is laid out as Earth Search v1."""

from collections.abc import Iterator
from datetime import timedelta

from ..errors import InvalidSceneId
from ..product_names import ProductName
from ..stac import Item, StacApi
from ..types import Config, RemoteFile, Scene, SceneId
from . import Provider, only_one

COLLECTION = "sentinel-2-l2a"
DEFAULT_ROOT = "https://earth-search.aws.element84.com/v1"

# A tile is sensed some minutes after its datatake began.
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(minutes=60)
# A search stops here: by then the id is ambiguous, and there are enough candidates to name.
_ENOUGH = 11


class Sentinel2(Provider):
    name = "sentinel-2"
    title = "Sentinel-2 L2A (Earth Search)"

    def check_id(self, scene_id: SceneId) -> None:
        parse_name(scene_id)

    def find(self, scene_id: SceneId, config: Config) -> Scene:
        name = parse_name(scene_id)
        api = StacApi(config.stac_roots.get(self.name, DEFAULT_ROOT), config.private_hosts)
        found = _by_computed_id(api, name) if name.generated else None
        items = [found] if found else list(_by_search(api, name))
        return only_one(scene_id, [_scene(scene_id, item) for item in items], [product_of(item) for item in items])


def parse_name(scene_id: SceneId) -> ProductName:
    """The product name that the id is, or InvalidSceneId."""
    name = ProductName.parse(scene_id.original_id)
    if name is None:
        raise InvalidSceneId(
            f"{scene_id} is not a Sentinel-2 L2A product name, such as "
            "sentinel-2:S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616."
        )
    return name


def product_of(item: Item) -> str:
    """Full product name of an item, without the folder's ending; empty where the item does not tell it."""
    return str(item.get("properties", {}).get("s2:product_uri", "")).removesuffix(".SAFE")


def _by_computed_id(api: StacApi, name: ProductName) -> Item | None:
    """Earth Search numbers the processings of one tile and day from 0, so the id alone does not tell the product."""
    if name.tile is None:
        return None
    for sequence in (0, 1):
        item_id = f"{name.satellite}_{name.tile.removeprefix('0')}_{name.datatake:%Y%m%d}_{sequence}_L2A"
        item = api.item(COLLECTION, item_id)
        if item is not None and name.names(product_of(item)):
            return item
    return None


def _by_search(api: StacApi, name: ProductName) -> Iterator[Item]:
    found = 0
    for item in api.search(COLLECTION, name.datatake - _BEFORE, name.datatake + _AFTER):
        if name.names(product_of(item)):
            yield item
            found += 1
            if found == _ENOUGH:
                return


def _scene(scene_id: SceneId, item: Item) -> Scene:
    hrefs = {key: str(asset.get("href", "")) for key, asset in item.get("assets", {}).items()}
    return Scene(
        id=scene_id,
        item=item,
        sources={key: RemoteFile(url=href) for key, href in hrefs.items() if href.startswith(("https:", "http:"))},
    )


PROVIDER = Sentinel2()
