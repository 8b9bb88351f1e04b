"""A job before it runs: its scenes, its grid and what it takes, or the error in which it would end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import aoi
from ..catalogues.patience import Patience
from ..errors import BandNotFound, OffsetUnknown, shortened
from ..geometry import UtmGrid, common_ground, part_in
from ..geometry.common_ground import check_pixels
from ..operations import Operation, get_operation
from ..radiometry import resolve_band
from ..radiometry.bands import find_asset
from ..radiometry.offset import shows_offset
from ..radiometry.offset_check import Shift
from ..scenes import find_scenes
from ..types import Config, RasterJob, Scene
from . import caveats
from .declared_grid import declared_grid

# A file holds overviews of half the size, a quarter and so on.
_WITH_OVERVIEWS = 4 / 3
_UNKNOWN = "The catalogue does not say where in a zone of UTM the pixels lie, so the size of the result is unknown."


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job would do. `grid` is that of its result, None if the items do not say where their pixels lie."""

    scenes: tuple[Scene, ...]
    grid: UtmGrid | None
    value_bytes: int  # of one pixel of the result
    warnings: tuple[str, ...]

    @property
    def pixels(self) -> int | None:
        return None if self.grid is None else self.grid.width * self.grid.height

    @property
    def file_bytes(self) -> int | None:
        """The result before it is compressed, with its overviews: hardly any file is larger."""
        return None if self.pixels is None else round(self.pixels * self.value_bytes * _WITH_OVERVIEWS)

    @property
    def least_seconds(self) -> float:
        return max(scene.least_seconds for scene in self.scenes)


def estimate(job: RasterJob, config: Config, patience: Patience) -> Estimate:
    """What `job` would do, by the items of its scenes alone.

    Raises the RasterError with which it would fail, as far as they tell.
    """
    operation = get_operation(job.operation)
    scenes = find_scenes(job, operation.bands(job.params), config, patience)
    warnings = [*_about_scenes(operation, job, scenes)]
    grid, about_grid = _grid(job, [_grid_of(scene, operation.bands(job.params)) for scene in scenes])
    if grid is not None:
        check_pixels(grid, config.limits)
    return Estimate(
        scenes=tuple(scenes),
        grid=grid,
        value_bytes=np.dtype(operation.pixel_format(job.params).dtype).itemsize,
        warnings=tuple(map(shortened, [*warnings, *about_grid])),
    )


def _about_scenes(operation: Operation[Any], job: RasterJob, scenes: Sequence[Scene]) -> Iterator[str]:
    """Caveats about the scenes. Raises BandNotFound or OffsetUnknown."""
    for scene in scenes:
        yield from caveats.about_scene(scene, masks_wanted=job.params.cloud_mask)
        yield from _about_offset(scene, operation.bands(job.params))
    if len(scenes) > 1:
        yield from caveats.about_pair(scenes[0], scenes[-1])


def _about_offset(scene: Scene, bands: Sequence[str]) -> Iterator[str]:
    """A caveat if only the pixels can say the offset. Raises BandNotFound, or OffsetUnknown if they cannot either."""
    for band in bands:
        find_asset(scene, band)
    for band in bands:
        try:
            resolve_band(scene, band, Shift.UNDECIDED)
        except OffsetUnknown:
            if not shows_offset(scene):
                raise
            yield (
                f"The metadata of {scene.id} do not say for certain which offset holds. The job looks at its pixels, "
                "and fails with OFFSET_UNKNOWN if they do not show it."
            )
            return


def _grid_of(scene: Scene, bands: Sequence[str]) -> UtmGrid | None:
    """The grid by which the scene is laid over others: that of its red band, or of the first one without it."""
    try:
        return declared_grid(scene, find_asset(scene, "red"))
    except BandNotFound:
        return declared_grid(scene, find_asset(scene, bands[0]))


def _grid(job: RasterJob, grids: Sequence[UtmGrid | None]) -> tuple[UtmGrid | None, list[str]]:
    """The grid of the result, and caveats about it. Raises ScenesDoNotOverlap or AoiOutsideScene."""
    known = [grid for grid in grids if grid is not None]
    if len(known) < len(grids):
        unknown = (
            "The catalogue does not say where the pixels lie in a zone of UTM, so the size of the result is unknown."
        )
        return None, [unknown]
    common = common_ground(known)
    warnings = [*caveats.about_overlap(common.percent)]
    if job.params.aoi is None:
        return common.grid, warnings
    part = part_in(common.grid, aoi.geometry(job.params.aoi))
    return part.grid, [*warnings, *caveats.about_area(part.covered_percent)]
