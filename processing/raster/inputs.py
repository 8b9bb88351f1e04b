"""The scenes of a job, opened: their bands and masks, read together window by window."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

import numpy as np
from rasterio.windows import Window

from .bands import contradicts_offset, may_be_shifted_already, resolve_band, resolve_mask
from .errors import BandNotFound
from .grid import Grid, window_at
from .masks import clear_pixels
from .overlay import Overlay
from .reading import BandReader, MaskReader, RasterFile, to_reflectance, valid_pixels
from .types import Band, Config, LocalFile, Mask, PixelArray, Pixels, Scene

MASK_PART = "mask of clouds"  # no band can be called so
_SAMPLE_PIXELS = 512  # a side


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene whose bands and mask are found and can be opened. `grid` is that of its red band.

    By their red bands scenes are laid over each other.
    """

    scene: Scene
    bands: Mapping[str, Band]
    mask: Mask | None
    grid: Grid
    offset_contradicted: bool = False

    @property
    def parts(self) -> list[str]:
        """Names of the rasters that are read of the scene: its bands, and the mask where there is one."""
        return [*self.bands, *([MASK_PART] if self.mask else [])]

    @property
    def is_local(self) -> bool:
        return all(isinstance(band.source, LocalFile) for band in self.bands.values())


def open_scene(scene: Scene, names: Sequence[str], config: Config, *, with_mask: bool) -> OpenScene:
    """Find the named bands and, where it is wanted and there is one, the mask, and look into the red band.

    Raises BandNotFound, OffsetUnknown and what opening a file raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    with RasterFile(_red(scene) or next(iter(bands.values())), config) as red:
        grid = red.grid
        contradicted = may_be_shifted_already(scene) and contradicts_offset(red.overview(_SAMPLE_PIXELS))
    if contradicted:
        bands = {name: _without_offset(band) for name, band in bands.items()}
    return OpenScene(
        scene=scene,
        bands=bands,
        mask=resolve_mask(scene) if with_mask else None,
        grid=grid,
        offset_contradicted=contradicted,
    )


class SceneReader:
    """Reads the windows of one scene on the grid of the overlay, with open files of its own: one for each thread.

    `index` is the scene's place in the job; `files` closes what is opened, each file when it is first read from.
    """

    def __init__(self, opened: OpenScene, overlay: Overlay, index: int, config: Config, files: ExitStack) -> None:
        self._grid = overlay.whole.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.whole
        self._scene, self._corner, self._config, self._files = opened, overlay.corner, config, files
        self._readers: dict[str, BandReader | MaskReader] = {}

    def read(self, window: Window) -> "SceneWindow":
        return SceneWindow.of(self._scene, [self.read_part(name, window) for name in self._scene.parts])

    def read_part(self, name: str, window: Window) -> PixelArray:
        """One of the scene's `parts`: (rows, columns) numbers as they stand in the file."""
        return self.open_part(name).read(window_at(window, self._corner))

    def open_part(self, name: str) -> BandReader | MaskReader:
        """The reader of one of the scene's `parts`; its file is opened the first time."""
        if name not in self._readers:
            self._readers[name] = self._open(name)
        return self._readers[name]

    def _open(self, name: str) -> BandReader | MaskReader:
        if name == MASK_PART and self._scene.mask is not None:
            mask = self._scene.mask
            return MaskReader(mask, self._files.enter_context(RasterFile(mask, self._config)), self._grid)
        band = self._scene.bands[name]
        return BandReader(band, self._files.enter_context(RasterFile(band, self._config)), self._grid)


@dataclass(frozen=True, kw_only=True)
class SceneWindow:
    """A window of one scene as it stands in the files, on the grid of the overlay: (rows, columns) each."""

    bands: Mapping[str, Band]
    numbers: Mapping[str, PixelArray]
    mask: Mask | None
    mask_numbers: PixelArray | None

    @classmethod
    def of(cls, opened: OpenScene, parts: Sequence[PixelArray]) -> Self:
        """Put together what was read of each of the scene's `parts`."""
        by_name = dict(zip(opened.parts, parts, strict=True))
        mask_numbers = by_name.pop(MASK_PART, None)
        return cls(bands=opened.bands, numbers=by_name, mask=opened.mask, mask_numbers=mask_numbers)

    def pixels(self, rows: slice) -> Pixels:
        """Some rows of it as reflectance, with what is valid and what is clear."""
        valid = reduce(
            np.logical_and,
            (valid_pixels(numbers[rows], self.bands[name].nodata) for name, numbers in self.numbers.items()),
        )
        clear = np.ones_like(valid)
        if self.mask is not None and self.mask_numbers is not None:
            clear = clear_pixels(self.mask_numbers[rows], self.mask.kind)
        return Pixels(
            reflectance={
                name: to_reflectance(numbers[rows], self.bands[name]) for name, numbers in self.numbers.items()
            },
            valid=valid,
            clear=clear,
        )


def _red(scene: Scene) -> Band | None:
    """For its grid, even where the job does not ask for it; None where the scene has no red band."""
    try:
        return resolve_band(scene, "red")
    except BandNotFound:
        return None


def _without_offset(band: Band) -> Band:
    return replace(band, offset=0.0, offset_reason="the pixels show that the offset is applied, whatever the flag says")
