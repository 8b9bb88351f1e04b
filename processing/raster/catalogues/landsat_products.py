"""Landsat Collection 2 Level-2 products: their names, and how to find them in any STAC catalogue.

`LC09_L2SP_044034_20250110_20250112_02_T1`: sensor and satellite, level, path and row, day sensed, day processed,
collection, tier. Source: USGS, Landsat Collection 2 product identifiers. Some catalogues leave out the day processed,
some add `_SR`. The table of sensors lists the satellites.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ..errors import InvalidSceneId
from ..radiometry.sensors import UNKNOWN, sensor_of_product
from ..types import Scene, SceneId
from .stac import Item, StacApi, in_order_of

_FORM = re.compile(
    r"(?P<start>L[A-Z]\d{2}_L2S[PR]_\d{6})_(?P<sensed>\d{8})(?:_(?P<processed>\d{8}))?_(?P<end>02_(?:T1|T2|RT))(?:_SR)?"
)


@dataclass(frozen=True, kw_only=True)
class LandsatName:
    """The parts of a Landsat product name; `processed` is None if the name leaves out the day of processing."""

    start: str
    sensed: datetime
    processed: str | None
    end: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of `text`; None if it is no product name of a known satellite, or its day does not exist."""
        match = _FORM.fullmatch(text)
        if match is None or sensor_of_product(text) is UNKNOWN:
            return None
        try:
            sensed = datetime.strptime(match["sensed"], "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(start=match["start"], sensed=sensed, processed=match["processed"], end=match["end"])

    @classmethod
    def of(cls, scene_id: SceneId) -> Self:
        """The parts of the product name that the id is. Raises InvalidSceneId if it is none."""
        name = cls.parse(scene_id.original_id)
        if name is None:
            raise InvalidSceneId(
                f"{scene_id} is not a Landsat Collection 2 Level-2 product name, such as "
                f"{scene_id.provider}:LC09_L2SP_044034_20250110_20250112_02_T1."
            )
        return name

    @property
    def is_whole(self) -> bool:
        """Whether no two products can have this name."""
        return self.processed is not None

    def __str__(self) -> str:
        parts = (self.start, f"{self.sensed:%Y%m%d}", self.processed, self.end)
        return "_".join(part for part in parts if part)

    def names(self, item: Item) -> bool:
        """Whether the item is this product. If its id leaves out the day processed, the names of its files have it."""
        other = LandsatName.parse(str(item.get("id", "")))
        if other is None or (self.start, self.sensed, self.end) != (other.start, other.sensed, other.end):
            return False
        if self.processed is None or other.processed is not None:
            return self.processed in (None, other.processed)
        return any(str(self) in str(asset.get("href", "")) for asset in item.get("assets", {}).values())


def product_of(item: Item) -> str:
    """Product name of an item, with the day processed if its id or the names of its files have it."""
    name = LandsatName.parse(str(item["id"]))
    if name is None or name.processed is not None:
        return str(name or item["id"])
    files = (_FORM.search(str(asset.get("href", ""))) for asset in item.get("assets", {}).values())
    in_files = (LandsatName.parse(match[0]) for match in files if match)
    return str(next((other for other in in_files if other and other.processed and other.names(item)), name))


def find_products(api: StacApi, collections: Sequence[str], name: LandsatName) -> list[Item]:
    """The product of the catalogue that the name means, in each of the collections that have it.

    If the name leaves out the day processed, the product processed last is meant.
    """
    short = LandsatName(start=name.start, sensed=name.sensed, processed=None, end=name.end)
    likely = dict.fromkeys([f"{name}_SR", str(name), str(short)])
    found = [item for item in api.items(collections, list(likely)) if name.names(item)]
    if not found:
        day = api.search(collections, name.sensed, name.sensed + timedelta(days=1))
        found = [item for item in day if name.names(item)]
    newest = max((product_of(item) for item in found), default="")
    return in_order_of(collections, [item for item in found if product_of(item) == newest])


def newest_of(products: Mapping[str, list[Scene]]) -> dict[str, list[Scene]]:
    """The one that was processed last of these products of one sensing; of those that can be read, if any can."""
    readable = [name for name, scenes in products.items() if any(scene.sources for scene in scenes)]
    return {name: products[name] for name in sorted(readable or products)[-1:]}
