"""From a band's name to the asset that holds it, and to the scale, offset and nodata that make it reflectance.

Catalogues differ in all of these, and some of what they say is wrong: the rules here are the only place that knows.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import BandNotFound, OffsetUnknown
from ..types import Band, Mask, MaskKind, PixelArray, Scene

Asset = Mapping[str, Any]

# Common name to native name of every band of reflectance; thermal bands and products made of bands are none.
SENTINEL_2 = {
    "coastal": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "rededge1": "B05",
    "rededge2": "B06",
    "rededge3": "B07",
    "nir": "B08",
    "nir08": "B8A",
    "nir09": "B09",
    "cirrus": "B10",
    "swir16": "B11",
    "swir22": "B12",
}
OLI = {
    "coastal": "B01",
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir08": "B05",
    "swir16": "B06",
    "swir22": "B07",
}
THEMATIC_MAPPER = {"blue": "B01", "green": "B02", "red": "B03", "nir08": "B04", "swir16": "B05", "swir22": "B07"}

_MASK_KINDS: tuple[MaskKind, ...] = ("scl", "qa_pixel")

# From this processing baseline on, Sentinel-2 numbers are shifted by 1000 so that dark pixels stay above 0.
_SHIFTED_SINCE_BASELINE = 4.0
_SHIFT = 1000
_LEAST_SHARE_BELOW = 0.2
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
    return Band(
        scene_id=str(scene.id),
        name=name,
        asset=key,
        source=scene.sources[key],
        scale=scale,
        offset=offset,
        offset_reason=reason,
        nodata=nodata_of(asset),
    )


def find_asset(scene: Scene, name: str) -> str:
    """Key of the asset that holds the band: exact key, common name, native name, then the sensor's own table."""
    usable = reflectance_assets(scene)
    sensor = sensor_bands(scene)
    for wanted in (name, "nir08") if name == "nir" else (name,):
        common, native = common_name(wanted, sensor), _native(sensor.get(wanted, wanted))
        for matches in (
            [wanted] if wanted in usable else [],
            [key for key, asset in usable.items() if band_field(asset, "common_name") == wanted],
            [key for key, asset in usable.items() if native in (_native(key), _native(band_field(asset, "name")))],
            [key for key, asset in usable.items() if common in (key, band_field(asset, "common_name"))],
        ):
            if len(matches := _preferred(matches, usable)) == 1:
                return matches[0]
    raise BandNotFound(
        f"Scene {scene.id} has no band {name!r}. It has: {', '.join(sorted(usable)) or 'none'}.",
        scene_id=str(scene.id),
        band=name,
    )


def reflectance_assets(scene: Scene) -> Mapping[str, Asset]:
    """The assets that can be read and hold one band of reflectance of the scene's sensor, by key."""
    sensor = sensor_bands(scene)
    return {
        key: asset
        for key, asset in scene.assets.items()
        if key in scene.sources and _is_single_band(asset) and _names_a_band(key, asset, sensor)
    }


def sensor_bands(scene: Scene) -> Mapping[str, str]:
    """Common name to native name for the sensor that took the scene; empty for an unknown one."""
    platform = _platform(scene)
    if platform.startswith("sentinel-2"):
        return SENTINEL_2
    if platform in ("landsat-8", "landsat-9"):
        return OLI
    return THEMATIC_MAPPER if platform.startswith("landsat") else {}


def sensor_of_product(name: str) -> Mapping[str, str]:
    """The same from a product's name alone (S2B_MSIL2A_..., LC08_L2SP_...), before any catalogue is asked."""
    if name.startswith("S2"):
        return SENTINEL_2
    if name.startswith(("LC08", "LC09")):
        return OLI
    return THEMATIC_MAPPER if name.startswith(("LT04", "LT05", "LE07")) else {}


def common_name(name: str, sensor: Mapping[str, str]) -> str:
    """Common name of a band that the sensor calls `name`; `name` itself where it is no native name of the sensor."""
    native = _native(name)
    return next((common for common, own in sensor.items() if own == native), name)


def resolve_mask(scene: Scene) -> Mask | None:
    """The file in which the scene's catalogue marks clouds, at its finest; None where there is none."""
    for kind in _MASK_KINDS:
        keys = [key for key in scene.sources if re.fullmatch(rf"{kind}(_\d+m)?(-jp2)?", key.lower())]
        for key in _preferred(keys, scene.assets)[:1]:
            return Mask(scene_id=str(scene.id), asset=key, source=scene.sources[key], kind=kind)
    return None


def processing_baseline(scene: Scene) -> float | None:
    """Sentinel-2 processing baseline, such as 5.11; None where nothing tells it."""
    declared = scene.properties.get("s2:processing_baseline") or scene.properties.get("processing:version")
    if declared and re.fullmatch(r"\d\d\.\d\d", str(declared)):
        return float(declared)
    product = scene.properties.get("s2:product_uri") or scene.properties.get("sentinel:product_id") or scene.item_id
    name = re.search(r"_N(\d\d)(\d\d)_", str(product))
    return float(f"{name[1]}.{name[2]}") if name else None


def nodata_of(asset: Asset) -> float:
    """The number that means no data; 0 where the asset does not say, as it is for both missions."""
    declared = _declared(asset, "nodata")
    return 0.0 if declared is None else declared


def radiometry(scene: Scene, key: str, asset: Asset) -> tuple[float, float, str]:
    """(scale, offset, why that offset) of a reflectance asset. Raises OffsetUnknown rather than guess."""
    scale, offset = _declared(asset, "scale"), _declared(asset, "offset")
    scale = scale if scale is None or scale > 0 else None
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


def may_be_shifted_already(scene: Scene) -> bool:
    """Whether the scene is an older Earth Search COG that claims not to be shifted back; some such claims are wrong."""
    applied = scene.properties.get("earthsearch:boa_offset_applied")
    baseline = processing_baseline(scene)
    return applied is False and (baseline is None or baseline >= _SHIFTED_SINCE_BASELINE)


def contradicts_offset(red: PixelArray) -> bool:
    """Whether so many numbers of a red band lie below the shift that they cannot be shifted. 0 is nodata."""
    valid = red[red > 0]
    return bool(valid.size and np.count_nonzero(valid < _SHIFT) > _LEAST_SHARE_BELOW * valid.size)


def _declared(asset: Asset, field: str) -> float | None:
    """`nodata`, `scale` or `offset` as STAC 1.0 (raster:bands) and 1.1 (bands, or the asset itself) write them."""
    for holder in (*_band_objects(asset, "raster:bands", "bands"), asset):
        for name in (field, f"raster:{field}"):
            value = _number(holder.get(name))
            if value is not None:
                return value
    return None


def _number(value: Any) -> float | None:
    """The finite number that the value is, or writes; None for all else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def band_field(asset: Asset, field: str) -> str:
    """`name` or `common_name` of the asset's band, in any version of STAC; empty where it is not told."""
    for band in _band_objects(asset, "eo:bands", "bands"):
        return str(band.get(field) or band.get(f"eo:{field}") or "")
    return ""


def _band_objects(asset: Asset, *fields: str) -> Iterator[Mapping[str, Any]]:
    """The first band object of each of the fields; old catalogues have numbers in their place."""
    for field in fields:
        listed = asset.get(field)
        if isinstance(listed, list) and listed and isinstance(listed[0], dict):
            yield listed[0]


def _is_single_band(asset: Asset) -> bool:
    """Composites (visual, TCI) carry red, green and blue in one file: no band of theirs is reflectance."""
    listed = [asset.get(field) for field in ("eo:bands", "bands", "raster:bands")]
    is_picture = any(role in _roles(asset) for role in ("visual", "thumbnail", "overview"))
    return not is_picture and all(not isinstance(bands, list) or len(bands) <= 1 for bands in listed)


def _roles(asset: Asset) -> list[Any]:
    roles = asset.get("roles")
    return roles if isinstance(roles, list) else []


def _names_a_band(key: str, asset: Asset, sensor: Mapping[str, str]) -> bool:
    """By its key or what it says of its band; of a sensor that we do not know, by its role."""
    if not sensor:
        return "reflectance" in _roles(asset)
    plain_key = key.removesuffix("-jp2")
    native = {_native(plain_key), _native(band_field(asset, "name"))}
    common = {re.sub(r"_\d+m$", "", plain_key), band_field(asset, "common_name"), band_field(asset, "name")}
    return bool(native & set(sensor.values()) or common & {*SENTINEL_2, "rededge"})


def _native(name: str) -> str:
    """B4, B04, b04, OLI_B4, B04_10m: all B04."""
    match = re.fullmatch(r"(?:[A-Z]+_)*B0?(\d{1,2})(A?)(?:_\d+m)?", name, flags=re.IGNORECASE)
    return f"B{int(match[1])}A" if match and match[2] else f"B{int(match[1]):02}" if match else name


def _preferred(keys: Iterable[str], assets: Mapping[str, Asset]) -> list[str]:
    """Of files of the same band: COGs before JPEG 2000 files, then the finest resolution, which is the native one."""
    cogs = [key for key in keys if not key.endswith("-jp2")] or list(keys)
    # CDSE also has bands sampled up to finer pixels than the sensor sees, and marks those that are not.
    cogs = [key for key in cogs if "sampling:original" in _roles(assets[key])] or cogs
    same_band = len({re.sub(r"_\d+m$", "", key) for key in cogs}) == 1
    finest = min((_resolution(key, assets[key]) for key in cogs), default=0.0)
    return [key for key in cogs if _resolution(key, assets[key]) == finest] if same_band else cogs


def _resolution(key: str, asset: Asset) -> float:
    """Metres, as the asset's key, its raster:bands or its gsd tell; 0 where none does."""
    if suffix := re.search(r"_(\d+)m$", key):
        return float(suffix[1])
    return _declared(asset, "spatial_resolution") or _declared(asset, "gsd") or 0.0
