"""The scenes of a job, opened: their bands and masks, read together window by window."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from .bands import resolve_band, resolve_mask
from .errors import BandNotFound
from .grid import Grid
from .overlay import Overlay
from .reading import BandReader, MaskReader, open_raster
from .types import Band, Config, Mask, Pixels, Scene


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene with its files open. `grid` is that of its red band, by which scenes are laid over each other."""

    scene: Scene
    bands: Mapping[str, Band]
    datasets: Mapping[str, DatasetReader]
    mask: Mask | None
    mask_dataset: DatasetReader | None
    grid: Grid


def open_scene(scene: Scene, names: Sequence[str], config: Config, files: ExitStack, *, with_mask: bool) -> OpenScene:
    """Open the named bands and, where it is wanted and there is one, the mask; `files` closes them.

    Raises BandNotFound, OffsetUnknown and what `open_raster` raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    mask = resolve_mask(scene) if with_mask else None
    datasets = {name: files.enter_context(open_raster(band, config)) for name, band in bands.items()}
    return OpenScene(
        scene=scene,
        bands=bands,
        datasets=datasets,
        mask=mask,
        mask_dataset=files.enter_context(open_raster(mask, config)) if mask else None,
        grid=_grid_of_red(scene, datasets, config),
    )


class SceneReader:
    """Reads the windows of one scene on the grid of the overlay. `index` is the scene's place in the job."""

    def __init__(self, opened: OpenScene, overlay: Overlay, index: int) -> None:
        grid = overlay.grid.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.grid
        self._bands = {name: BandReader(opened.bands[name], file, grid) for name, file in opened.datasets.items()}
        self._mask = MaskReader(opened.mask, opened.mask_dataset, grid) if opened.mask and opened.mask_dataset else None

    def read(self, window: Window) -> Pixels:
        """All bands and the mask of the window: (rows, columns) each."""
        read = {name: reader.read(window) for name, reader in self._bands.items()}
        valid = np.logical_and.reduce([valid for _, valid in read.values()])
        return Pixels(
            reflectance={name: reflectance for name, (reflectance, _) in read.items()},
            valid=valid,
            clear=self._mask.read(window) if self._mask else np.ones_like(valid),
        )


def _grid_of_red(scene: Scene, datasets: Mapping[str, DatasetReader], config: Config) -> Grid:
    """Of the first band where the scene has no red one."""
    if "red" in datasets:
        return Grid.of(datasets["red"])
    try:
        with open_raster(resolve_band(scene, "red"), config) as red:
            return Grid.of(red)
    except BandNotFound:
        return Grid.of(next(iter(datasets.values())))
