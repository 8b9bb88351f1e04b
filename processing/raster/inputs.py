"""The scenes of a job, opened: their bands and masks, read together window by window."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from rasterio.windows import Window

from .bands import contradicts_offset, may_be_shifted_already, resolve_band, resolve_mask
from .errors import BandNotFound
from .grid import Grid
from .overlay import Overlay
from .reading import BandReader, MaskReader, RasterFile
from .types import Band, Config, Mask, Pixels, Scene

_SAMPLE_PIXELS = 512  # a side


@dataclass(frozen=True, kw_only=True)
class OpenScene:
    """A scene with its files open. `grid` is that of its red band, by which scenes are laid over each other."""

    scene: Scene
    bands: Mapping[str, Band]
    files: Mapping[str, RasterFile]
    mask: Mask | None
    mask_file: RasterFile | None
    grid: Grid
    offset_contradicted: bool = False


def open_scene(scene: Scene, names: Sequence[str], config: Config, files: ExitStack, *, with_mask: bool) -> OpenScene:
    """Open the named bands and, where it is wanted and there is one, the mask; `files` closes them.

    Raises BandNotFound, OffsetUnknown and what opening a file raises.
    """
    bands = {name: resolve_band(scene, name) for name in names}
    opened = {name: files.enter_context(RasterFile(band, config)) for name, band in bands.items()}
    red = opened.get("red") or _open_red(scene, config, files) or next(iter(opened.values()))
    contradicted = may_be_shifted_already(scene) and contradicts_offset(red.overview(_SAMPLE_PIXELS))
    if contradicted:
        bands = {name: _without_offset(band) for name, band in bands.items()}
    mask = resolve_mask(scene) if with_mask else None
    return OpenScene(
        scene=scene,
        bands=bands,
        files=opened,
        mask=mask,
        mask_file=files.enter_context(RasterFile(mask, config)) if mask else None,
        grid=red.grid,
        offset_contradicted=contradicted,
    )


class SceneReader:
    """Reads the windows of one scene on the grid of the overlay. `index` is the scene's place in the job."""

    def __init__(self, opened: OpenScene, overlay: Overlay, index: int) -> None:
        grid = overlay.grid.moved(-overlay.turns[index]) if overlay.turns[index] else overlay.grid
        self._bands = {name: BandReader(opened.bands[name], file, grid) for name, file in opened.files.items()}
        self._mask = MaskReader(opened.mask, opened.mask_file, grid) if opened.mask and opened.mask_file else None

    def read(self, window: Window) -> Pixels:
        """All bands and the mask of the window: (rows, columns) each."""
        read = {name: reader.read(window) for name, reader in self._bands.items()}
        valid = np.logical_and.reduce([valid for _, valid in read.values()])
        return Pixels(
            reflectance={name: reflectance for name, (reflectance, _) in read.items()},
            valid=valid,
            clear=self._mask.read(window) if self._mask else np.ones_like(valid),
        )


def _open_red(scene: Scene, config: Config, files: ExitStack) -> RasterFile | None:
    """For its grid alone, where the job does not ask for it; None where the scene has no red band."""
    try:
        return files.enter_context(RasterFile(resolve_band(scene, "red"), config))
    except BandNotFound:
        return None


def _without_offset(band: Band) -> Band:
    return replace(band, offset=0.0, offset_reason="the pixels show that the offset is applied, whatever the flag says")
