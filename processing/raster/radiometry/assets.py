"""What an asset says about its band: STAC 1.0 has eo:bands and raster:bands, STAC 1.1 bands or the asset itself."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

Asset = Mapping[str, Any]

_JPEG_2000_ENDINGS = (".jp2", ".j2k", ".jpx", ".j2c", ".jpc", ".jpf", ".jpm")
_TIFF_ENDINGS = (".tif", ".tiff")
_JPEG_2000_TYPE = re.compile(r"image/(x-)?(jp2|jpx|jpm|j2c|j2k|jpc|jpeg2000)\b", re.IGNORECASE)


def declared(asset: Asset, field: str) -> float | None:
    """`nodata`, `scale`, `offset` or another number of the asset's band; None if it says none."""
    for holder in (*_band_objects(asset, "raster:bands", "bands"), asset):
        for name in (field, f"raster:{field}"):
            value = _number(holder.get(name))
            if value is not None:
                return value
    return None


def band_field(asset: Asset, field: str) -> str:
    """`name` or `common_name` of the asset's band; empty if it says none."""
    for band in _band_objects(asset, "eo:bands", "bands"):
        return str(band.get(field) or band.get(f"eo:{field}") or "")
    return ""


def roles(asset: Asset) -> list[Any]:
    listed = asset.get("roles")
    return listed if isinstance(listed, list) else []


def is_jpeg_2000(asset: Asset) -> bool:
    """Whether the asset's file is JPEG 2000: by the ending of its href, else by its media type, never by its key.

    The ending comes first: media types are often copied from one item to the next.
    """
    path = _path_of(asset).lower()
    if path.endswith((*_JPEG_2000_ENDINGS, *_TIFF_ENDINGS)):
        return path.endswith(_JPEG_2000_ENDINGS)
    return bool(_JPEG_2000_TYPE.match(str(asset.get("type", ""))))


def is_single_band(asset: Asset) -> bool:
    """False for composites (visual, TCI): they hold red, green and blue in one file, and none is reflectance."""
    listed = [asset.get(field) for field in ("eo:bands", "bands", "raster:bands")]
    is_picture = any(role in roles(asset) for role in ("visual", "thumbnail", "overview"))
    return not is_picture and all(not isinstance(bands, list) or len(bands) <= 1 for bands in listed)


def resolution(key: str, asset: Asset) -> float:
    """Metres, by the asset's key, its raster:bands or its gsd; 0 if none says it."""
    if suffix := re.search(r"_(\d+)m$", key):
        return float(suffix[1])
    return declared(asset, "spatial_resolution") or declared(asset, "gsd") or 0.0


def _path_of(asset: Asset) -> str:
    """The path of the asset's href; empty if the href is malformed."""
    try:
        return urlsplit(str(asset.get("href", ""))).path
    except ValueError:
        return ""


def _band_objects(asset: Asset, *fields: str) -> Iterator[Mapping[str, Any]]:
    """The first band object of each of the fields; old catalogues list numbers instead."""
    for field in fields:
        listed = asset.get(field)
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            yield listed[0]


def _number(value: Any) -> float | None:
    """The value as a finite number, also if it is written as text; None for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
