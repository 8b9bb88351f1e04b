"""A scene as callers see it: one STAC Item whose bands say how this service would read them.

STAC 1.1 with the extensions eo 2.0, projection 2.0 and raster 2.0.
"""

from collections.abc import Mapping
from typing import Any

from ..catalogues import get_provider
from ..errors import BandNotFound, OffsetUnknown
from ..radiometry import resolve_mask, sensor_of
from ..radiometry.bands import band_of_asset, common_name_of, find_asset, nodata_of, reflectance_assets
from ..types import Scene
from .declared_grid import proj_codes

_EXTENSIONS = [
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
]
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
            "proj:code": next(proj_codes(scene.properties, *scene.assets.values()), None),
            "astra:provider": provider.name,
            "astra:provider_name": provider.title,
            "astra:original_id": scene.item_id,
            **({"astra:warnings": list(scene.warnings)} if scene.warnings else {}),
        },
        "links": [],
        "assets": {key: _band_asset(scene, key) for key in reflectance_assets(scene)} | _mask_asset(scene),
    }


def _band_asset(scene: Scene, key: str) -> dict[str, Any]:
    common = common_name_of(scene, key)
    native = sensor_of(scene).bands.get(common)
    return {
        **_file(scene.assets[key]),
        "roles": ["data", "reflectance"],
        "bands": [{"name": native, "eo:common_name": common} if native else {"name": key}],
        "nodata": nodata_of(scene, key),
        **_reading(scene, key, common),
    }


def _reading(scene: Scene, key: str, common: str) -> dict[str, Any]:
    """How DN become reflectance, or why that is unknown."""
    try:
        band = band_of_asset(scene, key, common)
    except OffsetUnknown as error:
        return {"astra:offset_reason": error.message}
    return {"raster:scale": band.scale, "raster:offset": band.offset, "astra:offset_reason": band.offset_reason}


def _mask_asset(scene: Scene) -> dict[str, Any]:
    mask = resolve_mask(scene)
    return {mask.asset: {**_file(scene.assets[mask.asset]), "roles": ["mask"]}} if mask else {}


def _file(asset: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asset[name] for name in ("href", "type", "gsd") if name in asset}


def _gsd(scene: Scene) -> float | None:
    """Metres, by the item or its red band; else those of the sensor."""
    for holder in (scene.properties, _red_asset(scene)):
        if isinstance(holder.get("gsd"), int | float):
            return float(holder["gsd"])
    return sensor_of(scene).gsd


def _red_asset(scene: Scene) -> Mapping[str, Any]:
    """Empty if the scene has no red band."""
    try:
        return scene.assets[find_asset(scene, "red")]
    except BandNotFound:
        return {}
