"""The whole story of a job: scenes, bands, one grid, then window by window read, compute, write."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from .bands import processing_baseline, resolve_band
from .cog import CogWriter
from .errors import NoValidPixels
from .grid import Grid
from .operations import get_operation
from .reading import BandReader, gdal_environment, open_band
from .scenes import find_scene
from .types import Band, Config, Pixels, Product, Request, Scene, Tick

WINDOW = 1024
# What is left for laying out and checking the file once all windows are done.
_WINDOWS_SHARE = 0.8

SceneBands = Mapping[str, Band]


def run(request: Request, directory: Path, tick: Tick, config: Config) -> Product:
    """Do what `request` asks and leave one verified COG in `directory`. Raises a RasterError, and then leaves nothing.

    `tick` is told the share that is done after every window, and may raise to end the work.
    """
    operation = get_operation(request.operation)
    path = directory / f"{request.operation}_output.tif"
    with gdal_environment(), ExitStack() as files:
        scenes = [find_scene(scene_id, config) for scene_id in request.scene_ids]
        bands = [_scene_bands(scene, operation.bands(request.params)) for scene in scenes]
        tick(0.0)
        datasets = [
            {name: files.enter_context(open_band(band, config)) for name, band in named.items()} for named in bands
        ]
        grid = Grid.of(next(iter(datasets[0].values())))
        readers = [
            {name: BandReader(named[name], dataset, grid) for name, dataset in opened.items()}
            for named, opened in zip(bands, datasets, strict=True)
        ]
        tally = operation.tally()
        tags = _tags(request, scenes)
        with CogWriter(path, grid, operation.pixel_format(request.params), tags) as cog:
            for done, window in enumerate(grid.windows(WINDOW), start=1):
                pixels = [_read(scene_readers, window) for scene_readers in readers]
                values = operation.compute(request.params, pixels)
                tally.add(values)
                cog.write(window, operation.encode(request.params, values))
                tick(_WINDOWS_SHARE * done / grid.window_count(WINDOW))
            if tally.valid == 0:
                raise _no_valid_pixels(request)
            written = cog.finish()
        try:
            tick(1.0)
        except BaseException:
            path.unlink()
            raise
    return Product(
        path=written.path,
        filename=path.name,
        size=written.size,
        sha256=written.sha256,
        proj_code=grid.proj_code,
        shape=grid.shape,
        gsd=grid.gsd,
        statistics=tally.statistics(),
        provenance=_provenance(scenes, bands),
        warnings=(),
    )


def _scene_bands(scene: Scene, names: Sequence[str]) -> SceneBands:
    return {name: resolve_band(scene, name) for name in names}


def _read(readers: Mapping[str, BandReader], window: Window) -> Pixels:
    read = {name: reader.read(window) for name, reader in readers.items()}
    return Pixels(
        reflectance={name: reflectance for name, (reflectance, _) in read.items()},
        valid=np.logical_and.reduce([valid for _, valid in read.values()]),
    )


def _no_valid_pixels(request: Request) -> NoValidPixels:
    return NoValidPixels(
        "No pixel is valid in all bands that this operation needs, so there is nothing to compute.",
        scene_ids=[str(scene_id) for scene_id in request.scene_ids],
    )


def _tags(request: Request, scenes: Sequence[Scene]) -> dict[str, str]:
    return {
        "ASTRA_OPERATION": request.operation,
        "ASTRA_SCENES": " ".join(str(scene.id) for scene in scenes),
        "ASTRA_ITEMS": " ".join(scene.item_id for scene in scenes),
        "ASTRA_PARAMS": request.params.model_dump_json(),
    }


def _provenance(scenes: Sequence[Scene], bands: Sequence[SceneBands]) -> dict[str, Any]:
    return {
        "scenes": [
            {
                "scene_id": str(scene.id),
                "item": scene.item_id,
                "datetime": scene.properties.get("datetime"),
                "processing_baseline": processing_baseline(scene),
                "bands": {name: band.provenance() for name, band in named.items()},
            }
            for scene, named in zip(scenes, bands, strict=True)
        ]
    }
