"""One of several processings of a Sentinel-2 scene."""

from collections.abc import Mapping

from ...types import Scene, SceneId
from ..sentinel_2_items import are_of_one_sensing
from ._provider import only_one


def newest_processing(scene_id: SceneId, products: Mapping[str, list[Scene]]) -> list[Scene]:
    """The product of one tile that was generated last, if all products are of the same sensing.

    Raises SceneNotFound or AmbiguousSceneId.
    """
    if products and are_of_one_sensing(scene.item for scenes in products.values() for scene in scenes):
        return products[max(products, key=_generated)]
    return only_one(scene_id, products)


def _generated(product: str) -> str:
    """The time at which the product was generated: the last part of its full name."""
    return product.rpartition("_")[2]
