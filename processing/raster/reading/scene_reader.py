"""The windows of one scene: all its bands and its mask, on the grid of the result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from rasterio.windows import Window

from ..grids import Overlay
from ..grids.grid import window_at
from ..radiometry.masks import HIDDEN
from ..radiometry.reflectance import has_gaps, to_reflectance, valid_pixels
from ..types import Band, BoolArray, Float32Array, PixelArray
from .open_rasters import OpenRasters
from .open_scene import OpenScene
from .readers import SharedReader, band_reader_on, mask_reader_on


@dataclass(frozen=True, kw_only=True)
class SceneWindow:
    """A window of one scene: (rows, columns) each.

    `dn` are those of the bands by name. `clarity` is what the mask says, see `radiometry.masks`; None without a mask.
    """

    bands: Mapping[str, Band]
    dn: Mapping[str, PixelArray]
    clarity: PixelArray | None

    @cached_property
    def _with_gaps(self) -> Sequence[str]:
        """The bands that may have gaps in the window. Most have none, and need no look at each pixel."""
        return [name for name, dn in self.dn.items() if has_gaps(dn, self.bands[name].nodata)]

    def valid(self, rows: slice, inside: BoolArray) -> BoolArray:
        """Where in these rows, and `inside`, all bands have data."""
        gaps = (valid_pixels(self.dn[name][rows], self.bands[name].nodata) for name in self._with_gaps)
        return reduce(np.logical_and, gaps, inside)

    def clear(self, rows: slice, inside: BoolArray) -> BoolArray:
        """Where in these rows, and `inside`, no mask hides the ground."""
        return inside if self.clarity is None else inside & (self.clarity[rows] != HIDDEN)

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
    def open(
        cls, scene: OpenScene, overlay: Overlay, index: int, rasters: OpenRasters, dilation: float = 0.0
    ) -> "SceneReader":
        """For the scene that is number `index` in the job, whose clouds grow by `dilation` metres.

        `rasters` closes what is opened for it. Fetches whole files if they have to be warped. Raises SceneTooLarge if
        the job needs more pixels of a file than it may read.
        """
        grid = overlay.grid_for(index)
        window = window_at(Window(0, 0, overlay.grid.width, overlay.grid.height), overlay.corner)
        bands = {
            name: SharedReader(band_reader_on(grid, file, scene.bands[name].nodata, window), rasters)
            for name, file in scene.files.items()
        }
        file = scene.mask_file
        mask = mask_reader_on(grid, file, window, dilation, rasters.new_file) if file else None
        return cls(scene, bands, SharedReader(mask, rasters) if mask else None, overlay.corner)

    def read(self, window: Window) -> SceneWindow:
        """A window of the result. Raises SceneUnreadable and what fetching raises."""
        placed = window_at(window, self._corner)
        return SceneWindow(
            bands=self.scene.bands,
            dn={name: reader.read(placed) for name, reader in self._bands.items()},
            clarity=self._mask.read(placed) if self._mask else None,
        )

    def fetches(self, window: Window) -> Iterator[Callable[[], None]]:
        """The requests that the window needs. Each may be made by a thread of its own."""
        for reader in (*self._bands.values(), *([self._mask] if self._mask else [])):
            yield from reader.fetches(window_at(window, self._corner))
