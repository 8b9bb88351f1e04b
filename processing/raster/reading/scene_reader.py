"""The windows of one scene: all its bands and its mask, on the grid of the result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from rasterio.windows import Window

from ..grids import Overlay
from ..grids.grid import Grid, window_at
from ..radiometry.reflectance import has_gaps, to_reflectance, valid_pixels
from ..types import Band, BoolArray, Float32Array, PixelArray
from .open_scene import OpenScene
from .raster_file import RasterFile
from .readers import SharedReader, reader_on


@dataclass(frozen=True, kw_only=True)
class SceneWindow:
    """A window of one scene: (rows, columns) each.

    `dn` are those of the bands by name. `clear` is where the mask shows the ground; None without a mask.
    """

    bands: Mapping[str, Band]
    dn: Mapping[str, PixelArray]
    clear: BoolArray | None

    @cached_property
    def _with_gaps(self) -> Sequence[str]:
        """The bands that may have gaps in the window. Most have none, and need no look at each pixel."""
        return [name for name, dn in self.dn.items() if has_gaps(dn, self.bands[name].nodata)]

    def valid(self, rows: slice, inside: BoolArray) -> BoolArray:
        """Where in these rows, and `inside`, all bands have data."""
        gaps = (valid_pixels(self.dn[name][rows], self.bands[name].nodata) for name in self._with_gaps)
        return reduce(np.logical_and, gaps, inside)

    def reflectance(self, rows: slice) -> dict[str, Float32Array]:
        """These rows of each band as a fraction, clipped at 0. Means nothing where they are not valid."""
        return {name: to_reflectance(dn[rows], self.bands[name]) for name, dn in self.dn.items()}


class SceneReader:
    """Reads the windows of one scene, for any number of threads.

    `corner` is (column, row) of the result in the grid of the readers.
    """

    def __init__(
        self, scene: OpenScene, bands: Mapping[str, SharedReader], mask: SharedReader | None, corner: tuple[int, int]
    ) -> None:
        self.scene, self._bands, self._mask, self._corner = scene, bands, mask, corner

    @classmethod
    def open(cls, scene: OpenScene, overlay: Overlay, index: int, opened: ExitStack) -> "SceneReader":
        """For the scene that is number `index` in the job. `opened` closes what is opened for it.

        Fetches whole files if they have to be warped. Raises SceneTooLarge if the job needs more pixels of a file than
        it may read.
        """
        grid = overlay.grid_for(index)
        window = window_at(Window(0, 0, overlay.grid.width, overlay.grid.height), overlay.corner)
        bands = {name: _shared(grid, file, window, opened) for name, file in scene.files.items()}
        mask = _shared(grid, scene.mask_file, window, opened) if scene.mask_file else None
        return cls(scene, bands, mask, overlay.corner)

    def read(self, window: Window) -> SceneWindow:
        """A window of the result. Raises SceneUnreadable and what fetching raises."""
        placed = window_at(window, self._corner)
        return SceneWindow(
            bands=self.scene.bands,
            dn={name: reader.read(placed) for name, reader in self._bands.items()},
            clear=self._mask.read(placed) if self._mask else None,
        )

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """The requests that the window needs. Each may be made by a thread of its own."""
        for reader in (*self._bands.values(), *([self._mask] if self._mask else [])):
            yield from reader.fetches(window_at(window, self._corner))


def _shared(grid: Grid, file: RasterFile, window: Window, opened: ExitStack) -> SharedReader:
    return SharedReader(reader_on(grid, file, window), opened)
