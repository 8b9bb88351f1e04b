"""The whole story of a job: scenes, bands, one grid, then window by window read, compute, write."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from .gdal import gdal_environment  # isort: skip  # first, as it loads rasterio without boto3

from . import aoi
from .cog import CogWriter, WrittenCog
from .errors import NoValidPixels, shortened
from .geometry.common_ground import check_pixels
from .grids import Overlay, clip, footprint, lay_over
from .items.caveats import about_area, about_overlap
from .operations import Operation, get_operation
from .pictures import need_overviews_only, no_pictures_of_failures, pictures_of_result, pictures_of_scenes
from .provenance import provenance, tags
from .quality import Sampler, caveats, clear_percent, trust
from .reading import OpenRasters, OpenScene, SceneReader, open_scene
from .sandbox.pacing import paced
from .scenes import find_scenes
from .threads import in_background, side_by_side
from .types import Config, Product, RasterJob, Scene, Tick
from .windows import WindowWork

# The rest is for laying out and checking the file once all windows are done.
_WINDOWS_SHARE = 0.8


def run(job: RasterJob, directory: Path, tick: Tick, config: Config) -> Product:
    """Do what `job` asks and leave one verified COG in `directory`. Raises a RasterError, and then leaves nothing.

    `tick` is called with the share done after every window, and may raise to end the work. It is not called any more
    once the file is finished.
    """
    operation = get_operation(job.operation)
    with (
        gdal_environment(),
        no_pictures_of_failures(operation, directory),
        OpenRasters(config.network, config.limits, directory) as rasters,
    ):
        found = find_scenes(job, operation.bands(job.params), config)
        tick = paced(tick, max(scene.least_seconds for scene in found), _WINDOWS_SHARE)
        tick(0.0)
        scenes = _open_scenes(operation, job, found, rasters)
        overlay = _overlay(scenes, job)
        dilation = job.params.mask_dilation
        readers = [SceneReader.open(scene, overlay, index, rasters, dilation) for index, scene in enumerate(scenes)]
        check_pixels(overlay.grid, config.limits)
        sampler = Sampler(overlay.grid.shape)
        work = WindowWork(operation, job.params, readers, overlay, config.threads, sampler)
        origin = provenance(scenes, overlay, config.version)
        with (
            in_background(lambda: _unmasked_clear(job, scenes, overlay, rasters)) as unmasked_clear,
            in_background(lambda: pictures_of_scenes(operation, scenes, overlay, config, directory)) as of_scenes,
            _cog_writer(operation, job, directory, work, config, origin) as cog,
        ):
            _write_windows(work, cog, tick)
            statistics = work.tally.statistics()
            begun = cog.write_overviews(_band_tags(operation.file_statistics(job.params, statistics)))
            with (
                in_background(lambda: _early_pictures(begun, operation, job, overlay)) as of_overviews,
                in_background(
                    lambda: trust.quality(operation, job.params, scenes, sampler, unmasked_clear.result())
                ) as quality,
            ):
                written = cog.finish()
        of_result = of_overviews.result() or pictures_of_result(written.path, operation, job.params)
    measured = {**quality.result(), **work.tally.quality()}
    return _product(work, statistics, measured, written, origin, {**of_result, **of_scenes.result()})


def _open_scenes(
    operation: Operation[Any], job: RasterJob, found: Sequence[Scene], rasters: OpenRasters
) -> list[OpenScene]:
    bands, with_mask = operation.bands(job.params), job.params.cloud_mask
    return side_by_side(lambda scene: open_scene(scene, bands, rasters, with_mask=with_mask), found)


def _overlay(scenes: Sequence[OpenScene], job: RasterJob) -> Overlay:
    overlay = lay_over([scene.grid for scene in scenes])
    return overlay if job.params.aoi is None else clip(overlay, aoi.geometry(job.params.aoi))


def _unmasked_clear(
    job: RasterJob, scenes: Sequence[OpenScene], overlay: Overlay, rasters: OpenRasters
) -> list[float | None]:
    """The clear percent of each scene, if no mask is applied; None for each if the masks are read anyway."""
    if job.params.cloud_mask:
        return [None for _ in scenes]
    return side_by_side(lambda index: clear_percent(scenes[index], overlay, index, rasters), range(len(scenes)))


def _early_pictures(begun: Path, operation: Operation[Any], job: RasterJob, overlay: Overlay) -> Mapping[str, Path]:
    """Those of a result whose overviews are all that they need, while the rest of its file is still written."""
    return pictures_of_result(begun, operation, job.params) if need_overviews_only(overlay.grid) else {}


def _cog_writer(
    operation: Operation[Any],
    job: RasterJob,
    directory: Path,
    work: WindowWork,
    config: Config,
    origin: Mapping[str, Any],
) -> CogWriter:
    return CogWriter(
        directory / f"{job.operation}_output.tif",
        work.overlay.grid,
        operation.pixel_format(job.params),
        tags(job, work.scenes, config.version, origin),
        config.compression,
    )


def _write_windows(work: WindowWork, cog: CogWriter, tick: Tick) -> None:
    with closing(work.write_windows(cog)) as windows:
        for done in windows:
            tick(_WINDOWS_SHARE * done / cog.window_count)
    if work.tally.valid == 0:
        raise _no_valid_pixels(work)
    tick(_WINDOWS_SHARE)


def _no_valid_pixels(work: WindowWork) -> NoValidPixels:
    if work.counts.asked == 0:
        return NoValidPixels("The area of interest is so small that no pixel has its centre in it.")
    masked = " All others are masked as cloud, shadow or snow." if work.counts.masked else ""
    return NoValidPixels(
        f"No pixel has data in all bands that are needed, so there is nothing to compute.{masked}",
        scene_ids=[str(opened.scene.id) for opened in work.scenes],
        masked_percent=work.counts.masked_percent,
    )


def _band(work: WindowWork, statistics: Mapping[str, Any]) -> dict[str, Any]:
    of_file = {name: float(value) for name, value in work.operation.file_statistics(work.params, statistics).items()}
    return work.operation.pixel_format(work.params).as_band({**of_file, "valid_percent": statistics["valid_percent"]})


def _band_tags(statistics: Mapping[str, float]) -> dict[str, str]:
    """Statistics by GDAL's names. Programs that know them stretch the colours without reading the whole file."""
    return {f"STATISTICS_{name.upper()}": str(value) for name, value in statistics.items()}


def _product(
    work: WindowWork,
    statistics: Mapping[str, Any],
    quality: Mapping[str, Any],
    written: WrittenCog,
    origin: Mapping[str, Any],
    pictures: Mapping[str, Path],
) -> Product:
    grid = work.overlay.grid
    statistics = {**statistics, **_coverage(work)}
    return Product(
        path=written.path,
        size=written.size,
        sha256=written.sha256,
        proj_code=grid.proj_code,
        shape=grid.shape,
        gsd=grid.gsd,
        transform=tuple(grid.transform)[:6],
        geometry=footprint.geojson(grid),
        bbox=footprint.bbox(grid),
        bands=(_band(work, statistics),),
        statistics=statistics,
        provenance=origin,
        extra_fields=work.operation.result_fields(work.params),
        quality=quality,
        notes=work.operation.notes(work.params),
        pictures=pictures,
        warnings=tuple(map(shortened, _warnings(work, statistics, quality))),
    )


def _coverage(work: WindowWork) -> dict[str, float]:
    """Percents of the pixels asked for that are valid, masked, in all scenes."""
    counts, overlay = work.counts, work.overlay
    percents = {"valid_percent": 100 * work.tally.valid / counts.asked}
    if work.params.cloud_mask:
        percents["masked_percent"] = counts.masked_percent
    if len(work.scenes) > 1:
        percents["overlap_percent"] = overlay.overlap_percent
    if overlay.area is not None:
        percents["aoi_covered_percent"] = overlay.area_covered_percent
    return percents


def _warnings(work: WindowWork, statistics: Mapping[str, Any], quality: Mapping[str, Any]) -> Iterator[str]:
    yield from caveats.about_scenes(work.scenes, masks_wanted=work.params.cloud_mask)
    yield from caveats.about_masked(work.counts.masked_percent)
    yield from about_overlap(work.overlay.overlap_percent)
    yield from about_area(work.overlay.area_covered_percent)
    yield from trust.warnings(quality, statistics, work.params, work.scenes)
