"""A scene of a job: its bands and mask found, its files described, and its red pixels looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ..errors import BandNotFound
from ..gdal import gdal_environment
from ..grids import Grid
from ..radiometry import resolve_band, resolve_mask, sensor_of
from ..radiometry.offset import is_raw, shows_offset
from ..radiometry.offset_check import OffsetCheck, Shift, check_offset
from ..radiometry.reflectance import valid_pixels
from ..types import Band, Mask, Scene
from .file_check import about_place, check_band, odd_mask
from .open_rasters import OpenRasters
from .raster_file import RasterFile


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene and the files of its bands, by name, and of its mask, None if it has none or none is wanted.

    `grid` is that of its red band, by which scenes are laid over each other. `offset_check` is None if the pixels of
    the sensor cannot show an offset.
    """

    scene: Scene
    bands: Mapping[str, Band]
    files: Mapping[str, RasterFile]
    mask: Mask | None
    mask_file: RasterFile | None
    grid: Grid
    offset_check: OffsetCheck | None = None
    doubts: tuple[str, ...] = ()  # in what the files contradict the item


def open_scene(scene: Scene, names: Sequence[str], rasters: OpenRasters, *, with_mask: bool) -> OpenScene:
    """Find the named bands and, if it is wanted, the mask, and look into the red band.

    Raises BandNotFound, OffsetUnknown, and what fetching and opening a file raises.
    """
    # The files are found before their pixels can decide the offset.
    found = {name: resolve_band(scene, name, Shift.SHIFTED) for name in names}
    mask = resolve_mask(scene) if with_mask else None
    red = _red(scene)
    gauge = red or found[names[0]]
    wanted: list[Band | Mask] = [gauge, *found.values(), *([mask] if mask else [])]
    with gdal_environment():  # each scene is opened by a thread of its own
        gauge_file, *files = _described(wanted, rasters)
        check = _offset_check(scene, red, gauge_file) if red and shows_offset(scene) else None
        shown = [_as_shown(scene, name, band, check, gauge) for name, band in found.items()]
        checked = [check_band(scene, band, file) for band, file in zip(shown, files, strict=False)]
        odd = odd_mask(mask, files[-1]) if mask else None
    bands = {name: each.band for name, each in zip(found, checked, strict=True)}
    doubts = [*chain.from_iterable(each.doubts for each in checked), *about_place(scene, gauge, gauge_file)]
    return OpenScene(
        scene=scene,
        bands=bands,
        files={name: file.for_band(band) for (name, band), file in zip(bands.items(), files, strict=False)},
        mask=None if odd else mask,
        mask_file=None if odd or not mask else files[-1],
        grid=gauge_file.grid,
        offset_check=check,
        doubts=(*doubts, *([odd] if odd else [])),
    )


def _described(wanted: Sequence[Band | Mask], rasters: OpenRasters) -> list[RasterFile]:
    """One file for each of `wanted`, described once if it is wanted twice."""
    different = list(dict.fromkeys(wanted))
    files = dict(zip(different, rasters.describe(different), strict=True))
    return [files[one] for one in wanted]


def _red(scene: Scene) -> Band | None:
    """For its grid and its offset, even if the job does not ask for it. None if the scene has no red band."""
    try:
        return resolve_band(scene, "red", Shift.SHIFTED)
    except BandNotFound:
        return None


def _offset_check(scene: Scene, red: Band, file: RasterFile) -> OffsetCheck | None:
    """None if the file holds no DN, but floats."""
    if file.dtype.kind == "f":
        return None
    band, sensor = check_band(scene, red, file).band, sensor_of(scene)
    facts, name = file.facts, f"offset check: {sensor.name}, nodata {band.nodata} and {band.other_nodata}"
    if name not in facts:
        dn = file.for_band(band).sample()
        facts[name] = check_offset(dn[valid_pixels(dn, band.nodata)], sensor)
    check: OffsetCheck = facts[name]
    return check


def _as_shown(scene: Scene, name: str, found: Band, check: OffsetCheck | None, gauge: Band) -> Band:
    """The band with the offset that the pixels of red show. A raw file shows nothing of the catalogue's own COGs."""
    is_alike = is_raw(scene, found.asset) == is_raw(scene, gauge.asset)
    return resolve_band(scene, name, check.shift if check and is_alike else Shift.UNDECIDED)
