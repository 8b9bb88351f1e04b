"""The errors of failed jobs that more than one part of the service raises, and where an attempt failed, for staff."""

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings

from astra.logs import without_keys

# The stage of the work by the room in whose code an error was raised.
_STAGES: Mapping[str, str] = {
    "processing.raster.scenes": "finding scenes",
    "processing.raster.reading": "opening files",
    "processing.raster.grids": "placing grids",
    "processing.raster.windows": "computing",
    "processing.raster.cog": "writing",
    "processing.raster.quality": "judging quality",
    "processing.results": "storing",
}
_PIPELINE = "processing.raster.pipeline."
_MOST_CHARACTERS = 20_000
# What follows a ? in a URL may be the token of a store.
_QUERY = re.compile(r"(?<=\w)\?[^\s'\")>]+=[^\s'\")>]*")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where an attempt failed, for staff: the stage of the work in a word, and the traceback."""

    stage: str = ""
    text: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Without API keys, the queries of URLs, and what no row can hold. Of a long traceback its end."""
        text = "".join(traceback.format_exception(error)).replace("\0", "").encode(errors="replace").decode()
        return cls(stage=next(_stages(error), ""), text=_QUERY.sub("?...", without_keys(text))[-_MOST_CHARACTERS:])


def _stages(error: BaseException) -> Iterator[str]:
    """Those of the functions that were called, the outermost first."""
    names = [f"{frame.f_globals.get('__name__', '')}." for frame, _ in traceback.walk_tb(error.__traceback__)]
    for name in names:
        yield from (stage for room, stage in _STAGES.items() if name.startswith(f"{room}."))
    if _PIPELINE in names:
        yield _STAGES["processing.raster.windows"]  # it looks at what the windows have come to


NO_TRACE = Trace()


def error_body(code: str, message: str, details: dict[str, Any] | None = None, *, retryable: bool) -> dict[str, Any]:
    """The error of a failed job. `retryable` says if the same job may succeed later without any change."""
    return {"code": code, "message": message, "details": {**(details or {}), "retryable": retryable}}


def timed_out() -> dict[str, Any]:
    """From the worker itself, or from the sweep if the worker was killed for it."""
    message = f"The job took longer than {settings.JOB_TIME_LIMIT} seconds and was stopped."
    return error_body("TIMED_OUT", message, retryable=False)


def worker_lost(losses: int) -> dict[str, Any]:
    message = f"The workers that ran this job were lost {losses} times. Submit it again, or tell the operator."
    return error_body("WORKER_LOST", message, retryable=True)
