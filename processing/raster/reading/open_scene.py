"""A scene of a job: its bands and mask found, and their files described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import BandNotFound
from ..gdal import gdal_environment
from ..grids import Grid
from ..radiometry import resolve_band, resolve_mask
from ..radiometry.offset import contradicts_offset, may_be_shifted_already
from ..types import Band, Mask, Scene
from .open_rasters import OpenRasters
from .raster_file import RasterFile

_SAMPLE_PIXELS = 512  # a side


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene and the files of its bands, by name, and of its mask, None if it has none or none is wanted.

    `grid` is that of its red band, by which scenes are laid over each other.
    """

    scene: Scene
    bands: Mapping[str, Band]
    files: Mapping[str, RasterFile]
    mask: Mask | None
    mask_file: RasterFile | None
    grid: Grid
    offset_contradicted: bool = False


def open_scene(scene: Scene, names: Sequence[str], rasters: OpenRasters, *, with_mask: bool) -> OpenScene:
    """Find the named bands and, if it is wanted, the mask, and look into the red band.

    Raises BandNotFound, OffsetUnknown, and what fetching and opening a file raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    mask = resolve_mask(scene) if with_mask else None
    gauge = _red(scene) or bands[names[0]]
    wanted: list[Band | Mask] = [gauge, *bands.values(), *([mask] if mask else [])]
    with gdal_environment():  # each scene is opened by a thread of its own
        gauge_file, *files = _described(wanted, rasters)
        contradicted = may_be_shifted_already(scene) and contradicts_offset(gauge_file.overview(_SAMPLE_PIXELS))
    if contradicted:
        bands = {name: _without_offset(band) for name, band in bands.items()}
    return OpenScene(
        scene=scene,
        bands=bands,
        files=dict(zip(bands, files, strict=False)),
        mask=mask,
        mask_file=files[-1] if mask else None,
        grid=gauge_file.grid,
        offset_contradicted=contradicted,
    )


def _described(wanted: Sequence[Band | Mask], rasters: OpenRasters) -> list[RasterFile]:
    """One file for each of `wanted`, described once if it is wanted twice."""
    different = list(dict.fromkeys(wanted))
    files = dict(zip(different, rasters.describe(different), strict=True))
    return [files[one] for one in wanted]


def _red(scene: Scene) -> Band | None:
    """For its grid, even if the job does not ask for it. None if the scene has no red band."""
    try:
        return resolve_band(scene, "red")
    except BandNotFound:
        return None


def _without_offset(band: Band) -> Band:
    return replace(band, offset=0.0, offset_reason="the pixels show that the offset is applied, whatever the flag says")
