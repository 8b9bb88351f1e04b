"""What the metadata of one scene get wrong or leave in doubt: sentences for the job's warnings."""

from collections.abc import Iterator

from ..radiometry import sensor_of
from ..radiometry.assets import declared
from ..radiometry.bands import band_of_file_name, common_name_of
from ..radiometry.offset import baseline_of_name, claimed_offset, has_offset, processing_baseline
from ..radiometry.offset_check import OffsetCheck, Shift
from ..radiometry.sensors import UNKNOWN
from ..reading import OpenScene
from ..types import Band

_WHAT_TO_DO = "Compare with the same scene of another catalogue before you rely on the result."


def about_scene(opened: OpenScene) -> Iterator[str]:
    """The doubts about one scene, those of its files first."""
    yield from opened.doubts
    for doubt in (_about_offset, _about_baselines, _about_unusual, _about_different, _about_names):
        yield from doubt(opened)


def _about_offset(opened: OpenScene) -> Iterator[str]:
    """The first band whose offset is not the one that its metadata claim."""
    check = opened.offset_check
    if check is None:
        return
    for band in opened.bands.values():
        claimed = claimed_offset(opened.scene, band.asset, _said(opened, band, "offset"))
        if claimed is None or claimed[0] != band.offset:
            claim = f"claim an offset of {claimed[0]:g}" if claimed else "do not say for certain which offset holds"
            yield (
                f"The metadata of {opened.scene.id} {claim} for {band.name}, but its pixels show that it is "
                f"{band.offset:g}: {_evidence(check)}. The offset {band.offset:g} was used. {_WHAT_TO_DO}"
            )
            return


def _evidence(check: OffsetCheck) -> str:
    if check.shift is Shift.PLAIN:
        return f"{check.below_percent:.1f} % of red would be darker than reflectance -0.02 with the offset"
    return f"all but a thousandth of red is brighter than {check.darkest_permille:.3f} without the offset"


def _about_baselines(opened: OpenScene) -> Iterator[str]:
    scene, sensor = opened.scene, sensor_of(opened.scene)
    baseline, named = processing_baseline(scene), baseline_of_name(scene)
    if sensor.offset_since is None or baseline is None:
        return
    if named and named != baseline:
        yield (
            f"Scene {scene.id} has the processing baseline {baseline} by its properties and {named} by its product's "
            f"name. {_WHAT_TO_DO}"
        )
    for band in opened.bands.values():
        offset = _said(opened, band, "offset")
        if offset is not None and (offset != 0) != has_offset(baseline, sensor):
            yield (
                f"Scene {scene.id} declares the offset {offset:g} for {band.name}, which does not go with its "
                f"processing baseline {baseline}; {band.offset:g} was used. {_WHAT_TO_DO}"
            )
            return


def _about_unusual(opened: OpenScene) -> Iterator[str]:
    """A scale or offset that no product of the sensor has, unless the file holds reflectance and not DN."""
    sensor = sensor_of(opened.scene)
    if sensor is UNKNOWN:
        return
    usual = {"scale": {sensor.scale}, "offset": {sensor.offset} | ({0.0} if sensor.offset_since else set())}
    for band in (band for name, band in opened.bands.items() if opened.files[name].dtype.kind != "f"):
        for field, values in usual.items():
            stated = _said(opened, band, field)
            if stated is not None and stated not in values:
                yield (
                    f"Scene {opened.scene.id} declares the {field} {stated:g} for {band.name}, which no product of "
                    f"{sensor.name} has ({_listed(values)}); {getattr(band, field):g} was used. {_WHAT_TO_DO}"
                )


def _about_different(opened: OpenScene) -> Iterator[str]:
    """Bands that declare different scales or offsets, as those of one scene never do."""
    for field in ("scale", "offset"):
        stated = {band.name: _said(opened, band, field) for band in opened.bands.values()}
        if len(set(stated.values())) > 1:
            each = ", ".join(f"{name} {'none' if value is None else f'{value:g}'}" for name, value in stated.items())
            yield f"The bands of {opened.scene.id} declare different {field}s ({each}). {_WHAT_TO_DO}"


def _about_names(opened: OpenScene) -> Iterator[str]:
    """Bands that may be others than asked for."""
    scene, sensor = opened.scene, sensor_of(opened.scene)
    for name, band in opened.bands.items():
        held = common_name_of(scene, band.asset)
        if name == "nir" and "nir" in sensor.bands and held != "nir":
            yield (
                f"Scene {scene.id} has no band nir ({sensor.bands['nir']}) that can be read; {band.asset} was used for "
                "it, whose wavelengths and pixels are others."
            )
        named = band_of_file_name(str(scene.assets[band.asset].get("href")), sensor)
        if named and named != held:
            yield (
                f"The file of {band.asset} of {scene.id} is by its name the band {named}, and was read as {held}. "
                f"{_WHAT_TO_DO}"
            )


def _said(opened: OpenScene, band: Band, field: str) -> float | None:
    return declared(opened.scene.assets[band.asset], field)


def _listed(values: set[float]) -> str:
    return " or ".join(f"{value:g}" for value in sorted(values))
