"""The whole story of a job: scenes, bands, one grid, then window by window read, compute, write."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import aoi, caveats
from .bands import processing_baseline
from .cog import CogWriter, WrittenCog
from .errors import NoValidPixels
from .inputs import OpenScene, SceneReader, open_scene
from .operations import Operation, Tally, get_operation
from .overlay import Overlay, clip, lay_over
from .params import Params
from .reading import gdal_environment
from .scenes import find_scene
from .types import BoolArray, Config, Pixels, Product, Request, Tick

WINDOW = 1024
# What is left for laying out and checking the file once all windows are done.
_WINDOWS_SHARE = 0.8


def run(request: Request, directory: Path, tick: Tick, config: Config) -> Product:
    """Do what `request` asks and leave one verified COG in `directory`. Raises a RasterError, and then leaves nothing.

    `tick` is told the share that is done after every window, and may raise to end the work. Once the file is finished
    it is not asked again.
    """
    operation, params = get_operation(request.operation), request.params
    with gdal_environment(config), ExitStack() as files:
        found = [find_scene(scene_id, config) for scene_id in request.scene_ids]
        tick(0.0)
        scenes = [
            open_scene(scene, operation.bands(params), config, files, with_mask=params.cloud_mask) for scene in found
        ]
        overlay = lay_over([opened.grid for opened in scenes])
        if params.aoi is not None:
            overlay = clip(overlay, aoi.geometry(params.aoi))
        work = _Work(operation, params, scenes, overlay)
        with CogWriter(
            directory / f"{request.operation}_output.tif",
            overlay.grid,
            operation.pixel_format(params),
            _tags(request, scenes, config),
        ) as cog:
            work.write_windows(cog, tick)
            tick(_WINDOWS_SHARE)
            written = cog.finish()
    return _product(request, work, written)


class _Work:
    """The windows of one job, and the counts that they leave behind."""

    def __init__(
        self, operation: Operation[Any], params: Params, scenes: Sequence[OpenScene], overlay: Overlay
    ) -> None:
        self.operation, self.params, self.scenes, self.overlay = operation, params, scenes, overlay
        self.tally: Tally = operation.tally(params)
        self.counts = _Counts()
        self._readers = [SceneReader(opened, overlay, index) for index, opened in enumerate(scenes)]

    def write_windows(self, cog: CogWriter, tick: Tick) -> None:
        """Read, compute and write every window. Raises NoValidPixels where nothing came of it."""
        grid = self.overlay.grid
        for done, window in enumerate(grid.windows(WINDOW), start=1):
            inside = self.overlay.inside(window)
            pixels = [_within(inside, reader.read(window)) for reader in self._readers]
            self.counts.add(inside, pixels)
            values = self.operation.compute(self.params, [_seen(scene) for scene in pixels])
            self.tally.add(values, grid.pixel_areas(window))
            cog.write(window, self.operation.encode(self.params, values))
            tick(_WINDOWS_SHARE * done / grid.window_count(WINDOW))
        if self.tally.valid == 0:
            raise self._no_valid_pixels()

    def _no_valid_pixels(self) -> NoValidPixels:
        if self.counts.asked == 0:
            return NoValidPixels("The area of interest is so small that no pixel has its centre in it.")
        masked = " All others are masked as cloud, shadow or snow." if self.counts.masked else ""
        return NoValidPixels(
            f"No pixel has data in all bands that are needed, so there is nothing to compute.{masked}",
            scene_ids=[str(opened.scene.id) for opened in self.scenes],
            masked_percent=self.counts.masked_percent,
        )


@dataclass
class _Counts:
    """Pixels asked for; of these, with data in all bands of all scenes; of these, hidden by a mask."""

    asked: int = 0
    with_data: int = 0
    masked: int = 0

    def add(self, inside: BoolArray, scenes: Sequence[Pixels]) -> None:
        valid = np.logical_and.reduce([scene.valid for scene in scenes])
        clear = np.logical_and.reduce([scene.clear for scene in scenes])
        self.asked += int(np.count_nonzero(inside))
        self.with_data += int(np.count_nonzero(valid))
        self.masked += int(np.count_nonzero(valid & ~clear))

    @property
    def masked_percent(self) -> float:
        return 100 * self.masked / self.with_data if self.with_data else 0.0


def _within(inside: BoolArray, pixels: Pixels) -> Pixels:
    return Pixels(reflectance=pixels.reflectance, valid=pixels.valid & inside, clear=pixels.clear)


def _seen(pixels: Pixels) -> Pixels:
    """What is masked is as good as nodata to an operation."""
    return Pixels(reflectance=pixels.reflectance, valid=pixels.valid & pixels.clear, clear=pixels.clear)


def _product(request: Request, work: _Work, written: WrittenCog) -> Product:
    grid, counts, overlay = work.overlay.grid, work.counts, work.overlay
    statistics = {**work.tally.statistics(), "valid_percent": 100 * work.tally.valid / counts.asked}
    if work.params.cloud_mask:
        statistics["masked_percent"] = counts.masked_percent
    if len(work.scenes) > 1:
        statistics["overlap_percent"] = overlay.overlap_percent
    warnings = (
        *caveats.about_scenes(work.scenes, masks_wanted=work.params.cloud_mask),
        *caveats.about_result(counts.masked_percent, overlay.overlap_percent),
        *work.operation.warnings(work.params),
    )
    return Product(
        path=written.path,
        filename=written.path.name,
        size=written.size,
        sha256=written.sha256,
        proj_code=grid.proj_code,
        shape=grid.shape,
        gsd=grid.gsd,
        statistics=statistics,
        provenance={"scenes": [_provenance(opened) for opened in work.scenes]},
        extra_fields=work.operation.result_fields(work.params),
        warnings=warnings,
    )


def _tags(request: Request, scenes: Sequence[OpenScene], config: Config) -> dict[str, str]:
    """What made the file, inside the file."""
    return {
        "TIFFTAG_SOFTWARE": f"ASTRA {config.version}".strip(),
        "ASTRA_OPERATION": request.operation,
        "ASTRA_SCENES": " ".join(str(opened.scene.id) for opened in scenes),
        "ASTRA_ITEMS": " ".join(opened.scene.item_id for opened in scenes),
        "ASTRA_DATETIMES": " ".join(str(opened.scene.properties.get("datetime")) for opened in scenes),
        "ASTRA_BANDS": " ".join(scenes[0].bands),
        "ASTRA_PARAMS": request.params.model_dump_json(),
    }


def _provenance(opened: OpenScene) -> dict[str, Any]:
    return {
        "scene_id": str(opened.scene.id),
        "item": opened.scene.item_id,
        "datetime": opened.scene.properties.get("datetime"),
        "processing_baseline": processing_baseline(opened.scene),
        "bands": {name: band.provenance() for name, band in opened.bands.items()},
        "mask": opened.mask.asset if opened.mask else None,
    }
