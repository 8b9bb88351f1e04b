"""The whole story of a job: scenes, bands, one grid, then window by window read, compute, write."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from . import aoi, caveats
from .cog.pyramid import WINDOW
from .cog.writer import CogWriter, WrittenCog
from .errors import NoValidPixels
from .grids.overlay import clip, lay_over
from .operations import get_operation
from .radiometry.offset import processing_baseline
from .reading.open_rasters import OpenRasters
from .reading.raster_file import gdal_environment
from .reading.scene_reader import OpenScene, SceneReader, open_scene
from .scenes import find_scene
from .threads import side_by_side
from .types import Config, Product, Request, Tick
from .windows import WindowWork

# What is left for laying out and checking the file once all windows are done.
_WINDOWS_SHARE = 0.8


def run(request: Request, directory: Path, tick: Tick, config: Config) -> Product:
    """Do what `request` asks and leave one verified COG in `directory`. Raises a RasterError, and then leaves nothing.

    `tick` is told the share that is done after every window, and may raise to end the work. Once the file is finished
    it is not asked again.
    """
    operation, params = get_operation(request.operation), request.params
    with gdal_environment(), OpenRasters(config, directory) as rasters:
        found = side_by_side(lambda scene_id: find_scene(scene_id, config), request.scene_ids)
        tick(0.0)
        scenes = side_by_side(
            lambda scene: open_scene(scene, operation.bands(params), rasters, with_mask=params.cloud_mask), found
        )
        overlay = lay_over([opened.grid for opened in scenes])
        if params.aoi is not None:
            overlay = clip(overlay, aoi.geometry(params.aoi))
        readers = [SceneReader(opened, overlay, index, rasters) for index, opened in enumerate(scenes)]
        work = WindowWork(operation, params, readers, overlay, config)
        with CogWriter(
            directory / f"{request.operation}_output.tif",
            overlay.grid,
            operation.pixel_format(params),
            _tags(request, scenes, config),
            config.compression,
        ) as cog:
            total = overlay.grid.window_count(WINDOW)
            with closing(work.write_windows(cog)) as windows:
                for done in windows:
                    tick(_WINDOWS_SHARE * done / total)
            if work.tally.valid == 0:
                raise _no_valid_pixels(work)
            tick(_WINDOWS_SHARE)
            statistics = work.tally.statistics()
            written = cog.finish(_band_tags(operation.file_statistics(params, statistics)))
    return _product(request, work, statistics, written)


def _no_valid_pixels(work: WindowWork) -> NoValidPixels:
    if work.counts.asked == 0:
        return NoValidPixels("The area of interest is so small that no pixel has its centre in it.")
    masked = " All others are masked as cloud, shadow or snow." if work.counts.masked else ""
    return NoValidPixels(
        f"No pixel has data in all bands that are needed, so there is nothing to compute.{masked}",
        scene_ids=[str(opened.scene.id) for opened in work.scenes],
        masked_percent=work.counts.masked_percent,
    )


def _band_tags(statistics: Mapping[str, float]) -> dict[str, str]:
    """By GDAL's names: programs that know them need not read the file to stretch its colours."""
    return {f"STATISTICS_{name.upper()}": str(value) for name, value in statistics.items()}


def _product(request: Request, work: WindowWork, statistics: Mapping[str, Any], written: WrittenCog) -> Product:
    grid, counts, overlay = work.overlay.grid, work.counts, work.overlay
    statistics = {**statistics, "valid_percent": 100 * work.tally.valid / counts.asked}
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
        "ASTRA_PROVENANCE": json.dumps([_provenance(opened) for opened in scenes]),
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
