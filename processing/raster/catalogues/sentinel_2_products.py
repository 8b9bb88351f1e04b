"""Sentinel-2 L2A products: their names, and how to find them in any STAC catalogue.

`S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616`: satellite, level, start of the datatake, processing
baseline, relative orbit, tile, time of generation. Source: ESA, Sentinel-2 products naming convention. The table of
sensors lists the satellites.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from math import cos, radians
from typing import Any, Self

from ..errors import InvalidSceneId, ProviderUnavailable
from ..radiometry.sensors import UNKNOWN, sensor_of_product
from ..types import SceneId
from .stac import Item, StacApi, in_order_of

_FORM = re.compile(
    r"(?P<satellite>S\d[A-Z])_MSIL2A_(?P<datatake>\d{8}T\d{6})"
    r"(?:_N(?P<baseline>\d{4}))?(?:_R(?P<orbit>\d{3}))?(?:_T(?P<tile>\d{2}[A-Z]{3}))?"
    r"(?:_(?P<generated>\d{8}T\d{6}))?(?:\.SAFE|\.zarr)?"
)
_ENDING = re.compile(r"\.(SAFE|zarr)$")
# A tile is sensed some minutes after the start of its datatake.
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(minutes=60)
_LATITUDE_BANDS = "CDEFGHJKLMNPQRSTUVWX"  # 8 degrees each from 80 south, the last one 12
_TILE_DEGREES = 1.5  # more than a tile's side at the equator: a tile may reach beyond its zone by this much
# A search stops at this many products: the id is ambiguous, and there are enough candidates to list.
_ENOUGH = 11


@dataclass(frozen=True, kw_only=True)
class ProductName:
    """The parts of a Sentinel-2 L2A product name; None for parts that the name leaves out."""

    satellite: str
    datatake: datetime
    baseline: str | None
    orbit: str | None
    tile: str | None
    generated: str | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The parts of `text`; None if it is no product name of a known satellite, or its time does not exist."""
        match = _FORM.fullmatch(text)
        if match is None or sensor_of_product(text) is UNKNOWN:
            return None
        parts = match.groupdict()
        try:
            datatake = datetime.strptime(parts.pop("datatake"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(datatake=datatake, **parts)

    @classmethod
    def of(cls, scene_id: SceneId) -> Self:
        """The parts of the product name that the id is. Raises InvalidSceneId if it is none."""
        name = cls.parse(scene_id.original_id)
        if name is None:
            raise InvalidSceneId(
                f"{scene_id} is not a Sentinel-2 L2A product name, such as "
                f"{scene_id.provider}:S2B_MSIL2A_20250115T184929_N0511_R070_T10SEG_20250115T213616."
            )
        return name

    def names(self, product: str) -> bool:
        """Whether this name can mean the product of that name.

        A part that either name leaves out does not matter, except for a tile that only this name has.
        """
        other = ProductName.parse(product)
        if other is None or self.tile not in (None, other.tile):
            return False
        parts = zip(vars(self).values(), vars(other).values(), strict=True)
        return all(None in (mine, theirs) or mine == theirs for mine, theirs in parts)

    @property
    def is_whole(self) -> bool:
        """Whether no two products can have this name. The baseline follows from the rest."""
        return self.tile is not None and self.generated is not None

    def likely_item_ids(self) -> list[str]:
        """Ids that catalogues may give the product: its own name, and those of Earth Search v1, which count from 0."""
        ids = []
        if self.tile and self.generated and self.orbit:
            datatake = f"{self.satellite}_MSIL2A_{self.datatake:%Y%m%dT%H%M%S}"
            rest = f"R{self.orbit}_T{self.tile}_{self.generated}"
            ids += [f"{datatake}_{rest}"] + ([f"{datatake}_N{self.baseline}_{rest}"] if self.baseline else [])
        if self.tile:
            prefix = f"{self.satellite}_{self.tile.removeprefix('0')}_{self.datatake:%Y%m%d}"
            ids += [f"{prefix}_{sequence}_L2A" for sequence in (0, 1)]
        return ids


def product_of(item: Item) -> str:
    """Product name of an item without .SAFE or .zarr: the declared one, else the item's id.

    If neither is a product name, the name is put together from datatake and tile; if they are missing, it is the id.
    """
    properties = item.get("properties", {})
    for text in (properties.get("s2:product_uri"), item.get("id")):
        if ProductName.parse(str(text)):
            return _ENDING.sub("", str(text))
    datatake = re.match(r"G(S\d[A-Z])_(\d{8}T\d{6})_", str(properties.get("s2:datatake_id")))
    tile = re.fullmatch(r"MGRS-(\w{4,5})", str(properties.get("grid:code")))
    if datatake is None or tile is None:
        return str(item.get("id"))
    return f"{datatake[1]}_MSIL2A_{datatake[2]}_T{tile[1]:0>5}"


def find_products(api: StacApi, collections: Sequence[str], name: ProductName) -> list[Item]:
    """The items of the catalogue whose products the name can mean. One product may have an item in each collection.

    Only a name that is whole is looked up by computed ids. Any other may fit products of which no id can be computed.
    A computed id may belong to another processing of the same day, so the product name of every item is checked.
    """
    found: list[Item] = []
    if name.is_whole:
        found = [item for item in api.items(collections, name.likely_item_ids()) if name.names(product_of(item))]
        found += _in_newer_collections(api, collections, name, found)
    return in_order_of(collections, found or list(_by_time(api, collections, name)))


def _in_newer_collections(
    api: StacApi, collections: Sequence[str], name: ProductName, found: Sequence[Item]
) -> list[Item]:
    """Items of the product in the collections that come before those in which it was found.

    Such a collection may have ids that cannot be computed. It is asked for what lies where and when the scene does.
    """
    held = {str(item.get("collection")) for item in found}
    newer = list(takewhile(lambda collection: collection not in held, collections))
    bbox = found[0].get("bbox") if found and newer else None
    if not _is_box(bbox) or len(newer) == len(collections):
        return []
    with suppress(ProviderUnavailable):  # there is a scene without it
        around = api.search(newer, name.datatake - _BEFORE, name.datatake + _AFTER, bbox)
        return [item for item in around if name.names(product_of(item))]
    return []


def _is_box(bbox: Any) -> bool:
    return isinstance(bbox, list) and len(bbox) == 4 and all(isinstance(edge, int | float) for edge in bbox)


def _by_time(api: StacApi, collections: Sequence[str], name: ProductName) -> Iterator[Item]:
    found = 0
    bbox = _zone_of(name.tile) if name.tile else None
    for item in api.search(collections, name.datatake - _BEFORE, name.datatake + _AFTER, bbox):
        if name.names(product_of(item)):
            yield item
            found += 1
            if found == _ENOUGH:
                return


def _zone_of(tile: str) -> list[float] | None:
    """A box in degrees that holds every tile of this one's UTM zone and latitude band.

    None beside the antimeridian, because catalogues do not agree on boxes there.
    """
    return box_of(tile) if 1 < int(tile[:2]) < 60 else None


def box_of(tile: str) -> list[float] | None:
    """A box in degrees that touches every tile of this one's UTM zone and latitude band. None if this is no tile."""
    zone, band = int(tile[:2]), _LATITUDE_BANDS.find(tile[2])
    if not 1 <= zone <= 60 or band < 0:
        return None
    west, south = 6.0 * zone - 186, 8.0 * band - 80
    north = south + 12
    margin = _TILE_DEGREES / cos(radians(max(abs(south), abs(north))))
    return [max(-180.0, west - margin), south - _TILE_DEGREES, min(180.0, west + 6 + margin), north + _TILE_DEGREES]
