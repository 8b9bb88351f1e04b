"""How long jobs take, by the latest ones of their kind and size."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from statistics import mean, median
from typing import Any

from django.core.cache import cache
from django.db.models.fields.json import KT

from ..models import Job
from ..raster.aoi import geometry

_KEPT_SECONDS = 20
_LOOKED_AT = 100  # completed jobs of a kind, the latest ones
_ALIKE = 15  # of these, those that are nearest in size
_UNKNOWN_SECONDS = 5.0  # of a kind of which no job was ever completed
_METRES_OF_A_DEGREE = 111_320


@dataclass(frozen=True, kw_only=True)
class Done:
    """A completed job: its result's pixels in millions and their size in metres, and how long its last attempt took."""

    megapixels: float
    gsd: float
    seconds: float


def likely_seconds(job: Job) -> float:
    """The median of the latest completed jobs of its operation and mode that are about as large."""
    done = latest_done(job.operation, job.mode)
    if not done:
        return _UNKNOWN_SECONDS
    megapixels = _likely_megapixels(job, done)
    nearest = sorted(done, key=lambda each: abs(each.megapixels - megapixels))[:_ALIKE]
    return median(each.seconds for each in nearest)


def mean_seconds(operation: str, mode: str) -> float:
    """Of the latest completed jobs of any size."""
    done = latest_done(operation, mode)
    return mean(each.seconds for each in done) if done else _UNKNOWN_SECONDS


def latest_done(operation: str, mode: str) -> Sequence[Done]:
    found: Any = cache.get_or_set(f"done:{operation}:{mode}", lambda: _read(operation, mode), _KEPT_SECONDS)
    return list(found)


def _read(operation: str, mode: str) -> list[Done]:
    shape = (KT("result__proj:shape__0"), KT("result__proj:shape__1"), KT("result__gsd"))
    rows = Job.objects.latest_completed(operation, mode)[:_LOOKED_AT]
    return [
        Done(megapixels=float(height) * float(width) / 1e6, gsd=float(gsd), seconds=(end - start).total_seconds())
        for height, width, gsd, start, end in rows.values_list(*shape, "attempt_started_at", "completed_at")
        if height and width and gsd and start and end
    ]


def _likely_megapixels(job: Job, done: Sequence[Done]) -> float:
    """Of the area of interest, which the scene bounds; without one as many as such jobs have mostly."""
    whole = max(each.megapixels for each in done)
    if job.params.get("aoi") is None:
        return whole
    west, south, east, north = geometry(job.params["aoi"]).bounds
    height: float = (north - south) * _METRES_OF_A_DEGREE
    width: float = (east - west) * _METRES_OF_A_DEGREE * cos(radians((north + south) / 2))
    return min(whole, height * width / median(each.gsd for each in done) ** 2 / 1e6)
