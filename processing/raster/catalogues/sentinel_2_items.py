"""Ids that Earth Search gives its Sentinel-2 items, and the products that other catalogues may have of them.

`S2A_32TPS_20230602_0_L2A`: satellite, tile without a leading zero, day, number within the day.
`S2B_T38XNF_20250422T091553_L2A`: satellite, tile, start of the datastrip.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ..radiometry.sensors import SENTINEL_2
from ..types import moment_of
from .sentinel_2_products import ProductName, box_of, product_of
from .stac import Item, StacApi, in_order_of

_FORM = re.compile(
    rf"(?P<satellite>{SENTINEL_2.satellites})_"
    r"(?:(?P<short_tile>\d{1,2}[A-Z]{3})_(?P<day>\d{8})_(?P<number>\d)"
    r"|T(?P<tile>\d{2}[A-Z]{3})_(?P<datastrip>\d{8}T\d{6}))_L2A"
)
_DATASTRIP = re.compile(r"_S(\d{8}T\d{6})_N")
_DAY, _LONGEST_DATATAKE = timedelta(days=1), timedelta(minutes=60)


@dataclass(frozen=True, kw_only=True)
class ItemId:
    """The parts of an item's id. `start` is that of the day, or of the datastrip if there is no `number`."""

    satellite: str
    tile: str
    start: datetime
    number: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of `text`; None if it is no such id, or its day does not exist."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        start = _time(match["datastrip"] or f"{match['day']}T000000")
        if start is None:
            return None
        tile = match["tile"] or f"{match['short_tile']:0>5}"
        return cls(satellite=match["satellite"], tile=tile, start=start, number=match["number"])

    @property
    def is_of_a_day(self) -> bool:
        return self.number is not None

    def may_be(self, item: Item) -> bool:
        """Whether the item's product has this satellite, tile, and day or datastrip, as far as the item says."""
        name, sensed = ProductName.parse(product_of(item)), _sensed(item)
        if name is None or sensed is None or (name.satellite, name.tile) != (self.satellite, self.tile):
            return False
        if self.is_of_a_day:
            return sensed.date() == self.start.date()
        return abs(sensed - self.start) <= _LONGEST_DATATAKE and datastrip_of(item) in (None, self.start)

    def differs_from(self, item: Item) -> bool:
        """Whether the item has an id of the same form and is another one."""
        other = ItemId.parse(str(item["id"]))
        return other is not None and other.is_of_a_day == self.is_of_a_day and other != self


def find_of_day(item_id: ItemId, api: StacApi, collections: Sequence[str]) -> list[Item]:
    """The items of the catalogue that may be those of the product which has that id elsewhere."""
    before, after = (timedelta(0), _DAY) if item_id.is_of_a_day else (_LONGEST_DATATAKE, _LONGEST_DATATAKE)
    around = api.search(collections, item_id.start - before, item_id.start + after, box_of(item_id.tile))
    return in_order_of(collections, [item for item in around if item_id.may_be(item)])


def are_of_one_sensing(items: Iterable[Item]) -> bool:
    """Whether all show the same tile in the same data, as far as they say."""
    all_items = list(items)
    names = {ProductName.parse(product_of(item)) for item in all_items}
    tiles = {(name.satellite, name.datatake, name.tile) for name in names if name}
    datastrips = {datastrip_of(item) for item in all_items} - {None}
    return None not in names and len(tiles) == 1 and len(datastrips) <= 1


def datastrip_of(item: Item) -> datetime | None:
    """The start of the item's datastrip, a part of the datatake; None if the item does not say."""
    declared = (item["properties"].get(name) for name in ("s2:datastrip_id", "eopf:datastrip_id"))
    match = next((found for found in (_DATASTRIP.search(str(text)) for text in declared) if found), None)
    return _time(match[1]) if match else None


def _sensed(item: Item) -> datetime | None:
    """The time that the catalogue searches by: of the tile, or of the start of its datatake."""
    return moment_of(item["properties"].get("datetime"))


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
