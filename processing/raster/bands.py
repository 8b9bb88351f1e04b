"""From a band's name to the asset that holds it, and to the scale, offset and nodata that make it reflectance.

Catalogues differ in all of these, and some of what they say is wrong: the rules here are the only place that knows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import BandNotFound, OffsetUnknown
from .types import Band, Scene

Asset = Mapping[str, Any]

SENTINEL_2 = {
    "coastal": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir": "B08",
    "nir08": "B8A",
    "swir16": "B11",
    "swir22": "B12",
}
OLI = {"blue": "B02", "green": "B03", "red": "B04", "nir08": "B05", "swir16": "B06", "swir22": "B07"}
THEMATIC_MAPPER = {
    "blue": "B01",
    "green": "B02",
    "red": "B03",
    "nir08": "B04",
    "swir16": "B05",
    "swir22": "B07",
}

# From this processing baseline on, Sentinel-2 numbers are shifted by 1000 so that dark pixels stay above 0.
_SHIFTED_SINCE_BASELINE = 4.0
_SENTINEL_2_SCALE = 1e-4
_SENTINEL_2_OFFSET = -0.1
_LANDSAT_SCALE = 2.75e-5
_LANDSAT_OFFSET = -0.2


def resolve_band(scene: Scene, name: str) -> Band:
    """The band of `scene` that `name` (common or native) means.

    Raises BandNotFound where the scene has no such band, OffsetUnknown where nothing tells its offset.
    """
    key = find_asset(scene, name)
    asset = scene.assets[key]
    scale, offset, reason = radiometry(scene, key, asset)
    nodata = _declared(asset, "nodata")
    return Band(
        scene_id=str(scene.id),
        name=name,
        asset=key,
        source=scene.sources[key],
        scale=scale,
        offset=offset,
        offset_reason=reason,
        nodata=0.0 if nodata is None else float(nodata),
    )


def find_asset(scene: Scene, name: str) -> str:
    """Key of the asset that holds the band: exact key, common name, native name, then the sensor's own table."""
    usable = {
        key: asset
        for key, asset in scene.assets.items()
        if key in scene.sources and key not in ("visual", "TCI") and _is_single_band(asset)
    }
    for wanted in (name, "nir08") if name == "nir" else (name,):
        native = _native(sensor_bands(scene).get(wanted, wanted))
        common = {name: common for common, name in sensor_bands(scene).items()}.get(native)
        for matches in (
            [wanted] if wanted in usable else [],
            [key for key, asset in usable.items() if _band_field(asset, "common_name") == wanted],
            [key for key, asset in usable.items() if native in (_native(key), _native(_band_field(asset, "name")))],
            [key for key, asset in usable.items() if common and common in (key, _band_field(asset, "common_name"))],
        ):
            if len(matches := _preferred(matches)) == 1:
                return matches[0]
    raise BandNotFound(
        f"Scene {scene.id} has no band {name!r}. It has: {', '.join(sorted(usable)) or 'none'}.",
        scene_id=str(scene.id),
        band=name,
    )


def sensor_bands(scene: Scene) -> Mapping[str, str]:
    """Common name to native name for the sensor that took the scene; empty for an unknown one."""
    platform = _platform(scene)
    if platform.startswith("sentinel-2"):
        return SENTINEL_2
    if platform in ("landsat-8", "landsat-9"):
        return OLI
    return THEMATIC_MAPPER if platform.startswith("landsat") else {}


def processing_baseline(scene: Scene) -> float | None:
    """Sentinel-2 processing baseline, such as 5.11; None where nothing tells it."""
    declared = scene.properties.get("s2:processing_baseline") or scene.properties.get("processing:version")
    if declared and re.fullmatch(r"\d\d\.\d\d", str(declared)):
        return float(declared)
    name = re.search(r"_N(\d\d)(\d\d)_", str(scene.properties.get("s2:product_uri", scene.item_id)))
    return float(f"{name[1]}.{name[2]}") if name else None


def radiometry(scene: Scene, key: str, asset: Asset) -> tuple[float, float, str]:
    """(scale, offset, why that offset) of a reflectance asset. Raises OffsetUnknown rather than guess."""
    scale, offset = _declared(asset, "scale"), _declared(asset, "offset")
    if _platform(scene).startswith("landsat"):
        offset, reason = (_LANDSAT_OFFSET, "Landsat Collection 2") if offset is None else (offset, "declared")
        return float(scale or _LANDSAT_SCALE), float(offset), reason
    offset, reason = _sentinel_2_offset(scene, key, offset)
    return float(scale or _SENTINEL_2_SCALE), offset, reason


def _sentinel_2_offset(scene: Scene, key: str, declared: float | None) -> tuple[float, str]:
    """By processing baseline, never by date: old scenes are processed again with newer baselines."""
    baseline = processing_baseline(scene)
    if baseline is not None and baseline < _SHIFTED_SINCE_BASELINE:
        return 0.0, f"processing baseline {baseline:05.2f} has no offset"
    # Older Earth Search COGs are shifted back already, although the same item still declares the offset.
    if scene.properties.get("earthsearch:boa_offset_applied") is True and not key.endswith("-jp2"):
        return 0.0, "the catalogue has applied the offset to the pixels (earthsearch:boa_offset_applied)"
    if declared is not None:
        return float(declared), "declared by the asset"
    if baseline is not None:
        return _SENTINEL_2_OFFSET, f"processing baseline {baseline:05.2f}"
    raise OffsetUnknown(
        f"Scene {scene.id} tells neither its processing baseline nor an offset, so its reflectance is unknown.",
        scene_id=str(scene.id),
        asset=key,
    )


def _platform(scene: Scene) -> str:
    """LANDSAT_8 and landsat-8, Sentinel-2B and sentinel-2b: one spelling."""
    return str(scene.properties.get("platform", "")).lower().replace("_", "-")


def _declared(asset: Asset, field: str) -> float | None:
    """`nodata`, `scale` or `offset` as STAC 1.0 (raster:bands) and 1.1 (bands, or the asset itself) write them."""
    for holder in (*asset.get("raster:bands", ())[:1], *asset.get("bands", ())[:1], asset):
        for name in (field, f"raster:{field}"):
            if holder.get(name) is not None:
                return float(holder[name])
    return None


def _band_field(asset: Asset, field: str) -> str:
    for band in (*asset.get("eo:bands", ())[:1], *asset.get("bands", ())[:1]):
        if not isinstance(band, Mapping):
            continue
        return str(band.get(field) or band.get(f"eo:{field}") or "")
    return ""


def _is_single_band(asset: Asset) -> bool:
    """Composites (visual, TCI) carry red, green and blue in one file: no band of theirs is reflectance."""
    listed = max(len(asset.get("eo:bands", ())), len(asset.get("bands", ())), len(asset.get("raster:bands", ())))
    return listed <= 1 and not {"visual", "thumbnail", "overview"} & set(asset.get("roles", ()))


def _native(name: str) -> str:
    """B4, B04, b04, OLI_B4, B04_10m: all B04."""
    match = re.fullmatch(r"(?:[A-Z]+_)*B0?(\d{1,2})(A?)(?:_\d+m)?", name, flags=re.IGNORECASE)
    return f"B{int(match[1])}A" if match and match[2] else f"B{int(match[1]):02}" if match else name


def _preferred(keys: Iterable[str]) -> list[str]:
    """COGs before the JPEG 2000 files of the same band; then the native (finest) resolution, where keys tell it."""
    cogs = [key for key in keys if not key.endswith("-jp2")] or list(keys)
    finest = sorted(cogs, key=lambda key: int(found[1]) if (found := re.search(r"_(\d+)m$", key)) else 0)
    same = len({re.sub(r"_\d+m$", "", key) for key in finest}) == 1
    return finest[:1] if same else finest
