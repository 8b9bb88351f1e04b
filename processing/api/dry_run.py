"""`dry_run: true` in a submit: what the job would do, or how it would end, without a row or a raster."""

from math import ceil
from typing import Any

from astra.exceptions import ApiError, Problem

from ..config import raster_config, raster_job
from ..raster.catalogues.patience import FOR_A_CALLER
from ..raster.errors import RasterError
from ..raster.items import Estimate, estimate, scene_item
from ..raster.types import Config
from .durations import mean_seconds
from .scene_lookup import place_to_wait
from .submit_request import SubmitRequest


def dry_run(wanted: SubmitRequest, *, use_sandbox: bool, max_pixels: float | None = None) -> dict[str, Any]:
    """The body of the answer. Raises ApiError with the error that the job would end with, as far as items tell."""
    config = raster_config(use_sandbox=use_sandbox, max_pixels=max_pixels)
    try:
        with place_to_wait(needed=not use_sandbox):
            found = estimate(raster_job(wanted.operation, wanted.scene_ids, wanted.params), config, FOR_A_CALLER)
    except RasterError as error:
        details = {**error.details, "retryable": error.retryable}
        raise ApiError(Problem[error.code], error.message, details) from error
    seconds = mean_seconds(wanted.operation, "test" if use_sandbox else "live")
    return _body(found, max(found.least_seconds, seconds), config)


def _body(found: Estimate, seconds: float, config: Config) -> dict[str, Any]:
    grid = found.grid
    return {
        "dry_run": True,
        "scenes": [scene_item(scene) for scene in found.scenes],
        "grid": {
            "proj:code": grid.proj_code if grid else None,
            "proj:shape": list(grid.shape) if grid else None,
            "gsd": grid.gsd if grid else None,
        },
        "pixels": found.pixels,
        "estimated_seconds": ceil(seconds),
        "estimated_bytes": found.file_bytes,
        "warnings": list(found.warnings),
        "limits": {
            "pixels_per_job": round(config.limits.max_pixels),
            "bytes_per_job": round(config.limits.max_bytes),
        },
    }
