"""From a band's name to the asset that holds it, and to the scale, offset and nodata that make it reflectance.

Catalogues differ in how they name bands. Only the rules here know how.
"""

import re
from collections.abc import Iterable, Mapping

from ..errors import BandNotFound
from ..types import Band, Mask, Scene
from .assets import Asset, band_field, declared, is_jpeg_2000, is_single_band, resolution, roles
from .offset import decide_offset
from .offset_check import Shift
from .sensors import Sensor, common_names, native_name, sensor_of


def resolve_band(scene: Scene, name: str, pixels: Shift = Shift.UNDECIDED) -> Band:
    """The band of `scene` that `name` (common or native) means, and whose pixels show `pixels`.

    Raises BandNotFound if the scene has no such band, OffsetUnknown if nothing says its offset.
    """
    return band_of_asset(scene, find_asset(scene, name), name, pixels)


def band_of_asset(scene: Scene, key: str, name: str, pixels: Shift = Shift.UNDECIDED) -> Band:
    """The band that the asset `key` holds, called `name`. Raises OffsetUnknown if nothing says its offset."""
    asset, sensor = scene.assets[key], sensor_of(scene)
    scale = declared(asset, "scale")
    offset, reason = decide_offset(scene, key, declared(asset, "offset"), pixels)
    return Band(
        scene_id=str(scene.id),
        name=name,
        asset=key,
        source=scene.sources[key],
        scale=scale if scale is not None and scale > 0 else sensor.scale,
        offset=offset,
        offset_reason=reason,
        nodata=nodata_of(scene, key),
    )


def nodata_of(scene: Scene, key: str) -> float:
    """The DN that means no data in the asset `key`: the declared one, else the sensor's."""
    own = declared(scene.assets[key], "nodata")
    return sensor_of(scene).nodata if own is None else own


def find_asset(scene: Scene, name: str) -> str:
    """Key of the asset that holds the band: exact key, common name, native name, then the sensor's own table."""
    usable = reflectance_assets(scene)
    sensor = sensor_of(scene)
    for wanted in (name, "nir08") if name == "nir" else (name,):
        common, native = sensor.common_name(wanted), native_name(sensor.bands.get(wanted, wanted))
        for matches in (
            [wanted] if wanted in usable else [],
            [key for key, asset in usable.items() if band_field(asset, "common_name") == wanted],
            [key for key, asset in usable.items() if native in _native_names(key, asset)],
            [key for key, asset in usable.items() if common in (key, band_field(asset, "common_name"))],
        ):
            if len(matches := _preferred(matches, usable)) == 1:
                return matches[0]
    none = "none" if scene.sources else "none that can be read with the access that the operator has given"
    raise BandNotFound(
        f"Scene {scene.id} has no band {name!r}. It has: {', '.join(sorted(usable)) or none}.",
        scene_id=str(scene.id),
        band=name,
    )


def reflectance_assets(scene: Scene) -> Mapping[str, Asset]:
    """The assets that can be read and hold one band of reflectance of the scene's sensor, by key."""
    sensor = sensor_of(scene)
    return {
        key: asset
        for key, asset in scene.assets.items()
        if key in scene.sources and is_single_band(asset) and _names_a_band(key, asset, sensor)
    }


def common_name_of(scene: Scene, key: str) -> str:
    """Common name of the band that the asset `key` holds; the key itself if the sensor has no such band."""
    sensor = sensor_of(scene)
    said = (key, band_field(scene.assets[key], "common_name"))
    return next((name for name in said if name in sensor.bands), sensor.common_name(key))


def band_of_file_name(href: str, sensor: Sensor) -> str | None:
    """Common name of the band that the name of a file means; None if it means none or several."""
    words = re.split(r"[_.-]", href.partition("?")[0].rpartition("/")[2])
    natives = (sensor.common_name(word) for word in words if re.fullmatch(r"B\d{1,2}A?", word, flags=re.IGNORECASE))
    named = {name for name in (*natives, *(word.lower() for word in words)) if name in sensor.bands}
    return named.pop() if len(named) == 1 else None


def resolve_mask(scene: Scene) -> Mask | None:
    """The file in which the scene's catalogue marks clouds, at its finest; None if there is none."""
    for kind in sensor_of(scene).masks:
        keys = [key for key in scene.sources if re.fullmatch(rf"{kind}(_\d+m)?(-jp2)?", key.lower())]
        for key in _preferred(keys, scene.assets)[:1]:
            return Mask(scene_id=str(scene.id), asset=key, source=scene.sources[key], kind=kind)
    return None


def _names_a_band(key: str, asset: Asset, sensor: Sensor) -> bool:
    """Whether the key or the band object names a band. For an unknown sensor the asset's role decides."""
    if not sensor.bands:
        return "reflectance" in roles(asset)
    plain_key = key.removesuffix("-jp2")
    common = {re.sub(r"_\d+m$", "", plain_key), band_field(asset, "common_name"), band_field(asset, "name")}
    return bool(_native_names(plain_key, asset) & set(sensor.bands.values()) or common & {*common_names(), "rededge"})


def _native_names(key: str, asset: Asset) -> set[str]:
    return {native_name(key), native_name(band_field(asset, "name"))}


def _preferred(keys: Iterable[str], assets: Mapping[str, Asset]) -> list[str]:
    """Of files of the same band: COGs before JPEG 2000 files, then the finest resolution, which is the native one."""
    cogs = [key for key in keys if not is_jpeg_2000(assets[key])] or list(keys)
    # CDSE also has bands sampled up to finer pixels than the sensor sees, and marks those that are not.
    cogs = [key for key in cogs if "sampling:original" in roles(assets[key])] or cogs
    same_band = len({re.sub(r"_\d+m$", "", key) for key in cogs}) == 1
    finest = min((resolution(key, assets[key]) for key in cogs), default=0.0)
    return [key for key in cogs if resolution(key, assets[key]) == finest] if same_band else cogs
