"""The scenes of a job, opened: their bands and masks, read together window by window."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Self

import numpy as np
from rasterio.windows import Window

from .bands import contradicts_offset, may_be_shifted_already, resolve_band, resolve_mask
from .crew import side_by_side
from .errors import BandNotFound
from .grid import Grid, window_at
from .on_grid import BandReader, MaskReader
from .overlay import Overlay
from .reading import RasterFile, gdal_environment
from .reflectance import has_gaps, to_reflectance, valid_pixels
from .types import Band, BoolArray, Config, Float32Array, LocalFile, Mask, PixelArray, Scene

MASK_PART = "mask of clouds"  # no band can be called so
_SAMPLE_PIXELS = 512  # a side

# A part of a window that was read: called, it gives (rows, columns) on the grid, of a band the numbers as in the file,
# of a mask where it shows the ground.
Fetched = Callable[[], PixelArray]


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

    @property
    def is_local(self) -> bool:
        return all(isinstance(band.source, LocalFile) for band in self.bands.values())


def open_scene(scene: Scene, names: Sequence[str], config: Config, files: ExitStack, *, with_mask: bool) -> OpenScene:
    """Find and open the named bands and, where it is wanted and there is one, the mask, and look into the red band.

    `files` closes what is opened. Raises BandNotFound, OffsetUnknown and what opening a file raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    mask = resolve_mask(scene) if with_mask else None
    wanted: dict[str, Band | Mask] = {**bands, **({MASK_PART: mask} if mask else {})}
    gauge = _red(scene) or bands[names[0]]
    opened = _open_all({gauge.name: gauge, **wanted}, config, files)
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


def _open_all(wanted: Mapping[str, Band | Mask], config: Config, files: ExitStack) -> dict[str, RasterFile]:
    def open_one(raster: Band | Mask) -> RasterFile:
        with gdal_environment(config):
            return files.enter_context(RasterFile(raster, config))

    is_local = all(isinstance(raster.source, LocalFile) for raster in wanted.values())
    opened = map(open_one, wanted.values()) if is_local else side_by_side(open_one, wanted.values())
    return dict(zip(wanted, opened, strict=True))


class SceneReader:
    """Reads the windows of one scene on the grid of the overlay, for any number of threads.

    A file that is open serves one thread at a time; where more threads come, it is opened again. `index` is the scene's
    place in the job; `files` closes what is opened.
    """

    def __init__(self, opened: OpenScene, overlay: Overlay, index: int, files: ExitStack) -> None:
        self.scene = opened
        self._grid = overlay.whole.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.whole
        self._corner, self._files = overlay.corner, files
        self._readers = {name: self._on_grid(name, file) for name, file in opened.files.items()}
        self._idle = {name: [reader] for name, reader in self._readers.items()}

    def read(self, window: Window) -> "SceneWindow":
        return SceneWindow.of(self.scene, [self.fetch_part(name, window) for name in self.scene.parts])

    def fetch_part(self, name: str, window: Window) -> Fetched:
        """Read one of the scene's `parts` as far as the window needs it."""
        try:
            reader = self._idle[name].pop()
        except IndexError:
            reader = self._readers[name].again(self._files)
        fetched = reader.fetch(window_at(window, self._corner))
        self._idle[name].append(reader)
        return fetched

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

    @classmethod
    def of(cls, opened: OpenScene, fetched: Sequence[Fetched]) -> Self:
        """Put together what was fetched of each of the scene's `parts`."""
        by_name = {name: on_grid() for name, on_grid in zip(opened.parts, fetched, strict=True)}
        clear = by_name.pop(MASK_PART, None)
        return cls(bands=opened.bands, numbers=by_name, clear=clear)

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
