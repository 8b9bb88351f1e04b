"""The grid of an asset as its item declares it, by the STAC projection extension."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from affine import Affine

from ..geometry import UtmGrid
from ..geometry.utm import is_utm
from ..types import Scene

_EPSG = "EPSG:"
_MOST_PIXELS_OF_A_SIDE = 10_000_000

Holder = Mapping[str, Any]


def declared_grid(scene: Scene, key: str) -> UtmGrid | None:
    """The grid of the asset `key`. None if its item does not say it whole, or if it is not in a zone of UTM."""
    holders = (scene.assets[key], scene.properties)
    epsg = _epsg(next(proj_codes(*holders), ""))
    transform = next(_lists(holders, "proj:transform", least=6), None)
    if not is_utm(epsg) or transform is None:
        return None
    placed = Affine(*transform[:6])
    if placed.is_degenerate:
        return None
    shape = next(_lists(holders, "proj:shape", least=2), None) or _shape_of_bbox(holders, placed)
    if not shape or not all(1 <= side <= _MOST_PIXELS_OF_A_SIDE for side in shape[:2]):
        return None
    return UtmGrid(epsg=epsg, transform=placed, width=round(shape[1]), height=round(shape[0]))


def proj_codes(*holders: Holder) -> Iterator[str]:
    """The codes that the holders state, such as EPSG:32610."""
    for holder in holders:
        if code := holder.get("proj:code"):
            yield str(code)
        elif epsg := holder.get("proj:epsg"):
            yield f"{_EPSG}{epsg}"


def _epsg(code: str) -> int:
    """0 for a code of another authority."""
    digits = code.removeprefix(_EPSG)
    return int(digits) if code.startswith(_EPSG) and digits.isdecimal() and len(digits) < 10 else 0


def _lists(holders: tuple[Holder, ...], field: str, least: int) -> Iterator[list[float]]:
    """What is stated as a list of so many finite numbers or more."""
    for holder in holders:
        stated = holder.get(field)
        if isinstance(stated, list) and len(stated) >= least and all(_is_finite(value) for value in stated):
            yield [float(value) for value in stated]


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 and isfinite(value)


def _shape_of_bbox(holders: tuple[Holder, ...], placed: Affine) -> list[float]:
    """For items that state the bounding box in metres instead, as those of CDSE do. Empty if there is none."""
    for west, south, east, north in _lists(holders, "proj:bbox", least=4):
        return [abs((north - south) / placed.e), abs((east - west) / placed.a)] if placed.a and placed.e else []
    return []
