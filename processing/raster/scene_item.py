"""A scene as callers see it: one STAC Item whose bands say how this service would read them.

STAC 1.1 with the extensions eo 2.0, projection 2.0 and raster 2.0.
"""

from collections.abc import Mapping
from typing import Any

from .catalogues.providers import get_provider
from .errors import OffsetUnknown
from .radiometry.bands import (
    band_field,
    common_name,
    nodata_of,
    radiometry,
    reflectance_assets,
    resolve_mask,
    sensor_bands,
)
from .types import Scene

_EXTENSIONS = [
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
]
_MISSION_GSD = {"sentine": 10.0, "landsat": 30.0}  # metres, by the beginning of the platform's name
_KEPT_PROPERTIES = ("datetime", "eo:cloud_cover", "platform", "constellation", "instruments")


def scene_item(scene: Scene) -> dict[str, Any]:
    """The STAC Item; `id` is the scene id with its provider."""
    provider = get_provider(scene.id.provider)
    kept = {name: scene.properties[name] for name in _KEPT_PROPERTIES if name in scene.properties}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": str(scene.id),
        "geometry": scene.item.get("geometry"),
        "bbox": scene.item.get("bbox"),
        "properties": {
            **kept,
            "gsd": _gsd(scene),
            "proj:code": _proj_code(scene),
            "astra:provider": provider.name,
            "astra:provider_name": provider.title,
            "astra:original_id": scene.item_id,
        },
        "links": [],
        "assets": {key: _band_asset(scene, key, asset) for key, asset in reflectance_assets(scene).items()}
        | _mask_asset(scene),
    }


def _band_asset(scene: Scene, key: str, asset: Mapping[str, Any]) -> dict[str, Any]:
    sensor = sensor_bands(scene)
    common = next((name for name in (key, band_field(asset, "common_name")) if name in sensor), None)
    common = common or common_name(key, sensor)
    band = {"name": sensor.get(common, key), "eo:common_name": common} if common in sensor else {"name": key}
    try:
        scale, offset, reason = radiometry(scene, key, asset)
        reading = {"raster:scale": scale, "raster:offset": offset, "astra:offset_reason": reason}
    except OffsetUnknown as error:
        reading = {"astra:offset_reason": error.message}
    return {**_file(asset), "roles": ["data", "reflectance"], "bands": [band], "nodata": nodata_of(asset), **reading}


def _mask_asset(scene: Scene) -> dict[str, Any]:
    mask = resolve_mask(scene)
    return {mask.asset: {**_file(scene.assets[mask.asset]), "roles": ["mask"]}} if mask else {}


def _file(asset: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asset[name] for name in ("href", "type", "gsd") if name in asset}


def _gsd(scene: Scene) -> float | None:
    """Metres, of the item or of its red band; else what the mission's finest bands have."""
    holders = [scene.properties, *(asset for key, asset in scene.assets.items() if key in ("red", "B04", "B04_10m"))]
    for holder in holders:
        if isinstance(holder.get("gsd"), int | float):
            return float(holder["gsd"])
    return _MISSION_GSD.get(str(scene.properties.get("platform", "")).lower()[:7])


def _proj_code(scene: Scene) -> str | None:
    """From the item, or from its first asset that says it; None where none does."""
    for holder in (scene.properties, *scene.assets.values()):
        if code := holder.get("proj:code"):
            return str(code)
        if epsg := holder.get("proj:epsg"):
            return f"EPSG:{epsg}"
    return None
