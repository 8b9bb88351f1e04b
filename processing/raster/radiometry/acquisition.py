"""How a scene was taken and named, as its item says. What an item does not say in a known form is None."""

import re
from math import isfinite
from typing import Any

from ..types import Scene
from .sensors import UNKNOWN, sensor_of_product

_LONGEST = 200  # characters of a text that is repeated
_PRODUCT = re.compile(
    r"S\d[A-Z]_MSIL2A_\d{8}T\d{6}_N\d{4}_R\d{3}_T\d{2}[A-Z]{3}_\d{8}T\d{6}"
    r"|L[A-Z]\d\d_L2S[PR]_\d{6}_\d{8}_\d{8}_\d\d_[A-Z0-9]{2}"
)
_ORBIT = re.compile(r"_R(\d{3})_")


def product_name(scene: Scene) -> str | None:
    """The agency's whole name of the product; that of Landsat stands in the hrefs if the item has another id."""
    declared = (scene.properties.get(name) for name in ("s2:product_uri", "sentinel:product_id"))
    hrefs = (asset.get("href") for asset in scene.assets.values())
    matches = (_PRODUCT.search(str(text)) for text in (*declared, scene.item_id, *hrefs))
    named = (match[0] for match in matches if match)
    return next((name for name in named if sensor_of_product(name) is not UNKNOWN), None)


def relative_orbit(scene: Scene) -> int | None:
    """Of Sentinel-2: 1 to 143."""
    declared = scene.properties.get("sat:relative_orbit")
    if isinstance(declared, int) and not isinstance(declared, bool):
        return declared
    named = _ORBIT.search(product_name(scene) or "")
    return int(named[1]) if named else None


def path_and_row(scene: Scene) -> str | None:
    """Of Landsat, in the Worldwide Reference System 2, such as 044/034."""
    path, row = (_text(scene.properties.get(f"landsat:wrs_{name}")) for name in ("path", "row"))
    return f"{path}/{row}" if path and row else None


def sun_elevation(scene: Scene) -> float | None:
    """Degrees above the horizon."""
    zenith = _number(scene, "s2:mean_solar_zenith")
    elevation = _number(scene, "view:sun_elevation")
    return elevation if elevation is not None else 90 - zenith if zenith is not None else None


def sun_azimuth(scene: Scene) -> float | None:
    """Degrees from north by east."""
    azimuth = _number(scene, "view:sun_azimuth")
    return azimuth if azimuth is not None else _number(scene, "s2:mean_solar_azimuth")


def _number(scene: Scene, name: str) -> float | None:
    value = scene.properties.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _text(value: Any) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) else None
