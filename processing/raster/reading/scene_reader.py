"""The scenes of a job, opened: their bands and masks, read together window by window."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
from rasterio.windows import Window

from ..errors import BandNotFound
from ..grids.grid import Grid, window_at
from ..grids.overlay import Overlay
from ..radiometry import resolve_band, resolve_mask
from ..radiometry.offset import contradicts_offset, may_be_shifted_already
from ..radiometry.reflectance import has_gaps, to_reflectance, valid_pixels
from ..types import Band, BoolArray, Float32Array, Mask, PixelArray, Scene
from .on_grid import BandReader, MaskReader
from .open_rasters import OpenRasters
from .raster_file import RasterFile, gdal_environment

MASK_PART = "mask of clouds"  # no band can be called so
_SAMPLE_PIXELS = 512  # a side


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene whose bands and mask are found and opened. `grid` is that of its red band.

    By their red bands scenes are laid over each other. `files` are the open rasters, one for each of `parts`.
    """

    scene: Scene
    bands: Mapping[str, Band]
    mask: Mask | None
    grid: Grid
    files: Mapping[str, RasterFile]
    offset_contradicted: bool = False

    @property
    def parts(self) -> list[str]:
        """Names of the rasters that are read of the scene: its bands, and the mask where there is one."""
        return [*self.bands, *([MASK_PART] if self.mask else [])]


def open_scene(scene: Scene, names: Sequence[str], rasters: OpenRasters, *, with_mask: bool) -> OpenScene:
    """Find and open the named bands and, where it is wanted and there is one, the mask, and look into the red band.

    Raises BandNotFound, OffsetUnknown and what opening a file raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    mask = resolve_mask(scene) if with_mask else None
    wanted: dict[str, Band | Mask] = {**bands, **({MASK_PART: mask} if mask else {})}
    gauge = _red(scene) or bands[names[0]]
    with gdal_environment():  # as scenes are opened side by side, each in a thread
        opened = rasters.open_all({gauge.name: gauge, **wanted})
        contradicted = may_be_shifted_already(scene) and contradicts_offset(opened[gauge.name].overview(_SAMPLE_PIXELS))
    if contradicted:
        bands = {name: _without_offset(band) for name, band in bands.items()}
    return OpenScene(
        scene=scene,
        bands=bands,
        mask=mask,
        grid=opened[gauge.name].grid,
        files={name: opened[name] for name in wanted},
        offset_contradicted=contradicted,
    )


class SceneReader:
    """Reads the windows of one scene on the grid of the overlay, for any number of threads.

    A file that is open serves one thread at a time; where more threads come, it is opened again. `index` is the scene's
    place in the job; `rasters` closes what is opened.
    """

    def __init__(self, opened: OpenScene, overlay: Overlay, index: int, rasters: OpenRasters) -> None:
        self.scene = opened
        self._grid = overlay.whole.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.whole
        self._corner, self._rasters = overlay.corner, rasters
        self._readers = {name: self._on_grid(name, file) for name, file in opened.files.items()}
        self._idle = {name: [reader] for name, reader in self._readers.items()}

    def read(self, window: Window) -> "SceneWindow":
        by_name = {name: self.read_part(name, window) for name in self.scene.parts}
        clear = by_name.pop(MASK_PART, None)
        return SceneWindow(bands=self.scene.bands, numbers=by_name, clear=clear)

    def read_part(self, name: str, window: Window) -> PixelArray:
        """A window of one of the scene's `parts`: of a band the numbers as in the file, else where the ground shows."""
        try:
            reader = self._idle[name].pop()
        except IndexError:
            reader = self._readers[name].again(self._rasters)
        pixels = reader.read(window_at(window, self._corner))
        self._idle[name].append(reader)
        return pixels

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """What hosts are to be asked for before the window is read, each in a thread of its own."""
        for reader in self._readers.values():
            yield from reader.fetches(window_at(window, self._corner))

    def _on_grid(self, name: str, file: RasterFile) -> BandReader | MaskReader:
        if name == MASK_PART and self.scene.mask:
            return MaskReader(self.scene.mask, file, self._grid)
        return BandReader(self.scene.bands[name], file, self._grid)


@dataclass(frozen=True, kw_only=True)
class SceneWindow:
    """A window of one scene, on the grid of the overlay: (rows, columns) each.

    `numbers` are the bands' as they stand in the files. `clear` is where the mask shows the ground; None where there is
    no mask.
    """

    bands: Mapping[str, Band]
    numbers: Mapping[str, PixelArray]
    clear: BoolArray | None

    @cached_property
    def _with_gaps(self) -> Sequence[str]:
        """The bands that may not have data everywhere in the window. Most have: then no pixel is looked at again."""
        return [name for name, numbers in self.numbers.items() if has_gaps(numbers, self.bands[name].nodata)]

    def valid(self, rows: slice, inside: BoolArray) -> BoolArray:
        """Where in these rows, and `inside`, all bands have data."""
        gaps = (valid_pixels(self.numbers[name][rows], self.bands[name].nodata) for name in self._with_gaps)
        return reduce(np.logical_and, gaps, inside)

    def reflectance(self, rows: slice) -> dict[str, Float32Array]:
        """These rows of each band as a fraction, clipped at 0; where they are not valid the numbers mean nothing."""
        return {name: to_reflectance(numbers[rows], self.bands[name]) for name, numbers in self.numbers.items()}


def _red(scene: Scene) -> Band | None:
    """For its grid, even where the job does not ask for it; None where the scene has no red band."""
    try:
        return resolve_band(scene, "red")
    except BandNotFound:
        return None


def _without_offset(band: Band) -> Band:
    return replace(band, offset=0.0, offset_reason="the pixels show that the offset is applied, whatever the flag says")
