"""The one table of errors: every code that an answer or a failed job can have, when it comes, and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass

from astra.exceptions import Problem

from ..raster.errors import InvalidSceneId, RasterError

# By code: when it comes, and what the caller can do.
_ADVICE = {
    "VALIDATION_ERROR": (
        "The request is not well formed: a field, a param, a header or the query.",
        "`details.errors` names every fault with what was received. Mend them all, and send it again.",
    ),
    "INVALID_ID_FORMAT": (
        "A scene id is not `provider:original_id`, or no scene can have it. Also: a test scene with a live key.",
        "See [scene ids](scenes.md) for the forms there are.",
    ),
    "UNAUTHORIZED": (
        "The key is missing, wrong, expired or revoked.",
        "Send it as `Authorization: Bearer ...`. If it is right, ask the operator for a new one.",
    ),
    "FORBIDDEN": (
        "The key may only read, or only process.",
        "The message names the scope that is missing. Take another key.",
    ),
    "NOT_FOUND": (
        "There is no such path, or no such job of this account in the mode of this key.",
        "Check the id, and whether the job was made with a test key or a live one.",
    ),
    "METHOD_NOT_ALLOWED": ("The path knows other methods.", "The message names them."),
    "CONFLICT": (
        "The job is in a state that forbids it: a finished one is cancelled, an unfinished one asked for its item.",
        "Poll the job, and look at its `status`.",
    ),
    "EXPIRED": (
        "The file of the result has been deleted, by age or by its owner.",
        "Submit the job again, and download within the day.",
    ),
    "PRECONDITION_FAILED": (
        "`If-Match` or `If-Unmodified-Since` of a download name another version of the file.",
        "Begin the download anew, without them.",
    ),
    "PAYLOAD_TOO_LARGE": ("The body is larger than 64 KiB.", "Simplify the polygons of `aoi`."),
    "UNSUPPORTED_MEDIA_TYPE": (
        "The body is not JSON, or is compressed.",
        "Send `Content-Type: application/json` and no `Content-Encoding`.",
    ),
    "IDEMPOTENCY_MISMATCH": (
        "This `Idempotency-Key` was used with another body within 24 hours.",
        "Take a new key for a new job, and the same body for a repeat.",
    ),
    "RATE_LIMITED": (
        "More requests than the [plan](authentication.md) allows, or many wrong keys from your address.",
        "Wait for the seconds in `Retry-After`.",
    ),
    "QUEUE_FULL": (
        "As many jobs wait as the plan allows.",
        "Submit again once some have ended.",
    ),
    "INTERNAL_ERROR": (
        "A defect of ours.",
        "Try again. If it stays, tell the operator the `request_id` in `details`, or the job's id.",
    ),
    "SERVICE_UNAVAILABLE": (
        "The database is away, or too many callers look up scenes at a slow catalogue.",
        "Wait for the seconds in `Retry-After`, and send it again.",
    ),
    "SCENE_NOT_FOUND": (
        "No catalogue of the provider has the scene.",
        "Look for a typing error. New scenes appear within hours, old ones are reprocessed under another name.",
    ),
    "AMBIGUOUS_SCENE_ID": (
        "A short name fits several scenes.",
        "Take one of `details.candidates`.",
    ),
    "SAME_SCENE_TWICE": ("Two ids mean one scene.", "Name two dates."),
    "BAND_NOT_FOUND": (
        "The scene has no file for a band that the job needs.",
        "Take other `bands`, or the scene from another catalogue.",
    ),
    "OFFSET_UNKNOWN": (
        "The metadata do not say how DN become reflectance, and the pixels decide nothing.",
        "Take the scene from another catalogue, or another date.",
    ),
    "AOI_OUTSIDE_SCENE": (
        "`aoi` and the scenes do not meet.",
        "Check the order: longitude comes first. `GET /api/v1/scenes/{scene_id}` shows the footprint.",
    ),
    "SCENES_DO_NOT_OVERLAP": (
        "The two scenes share no ground, or under 1 % of the smaller one.",
        "Take two scenes of one tile.",
    ),
    "NO_VALID_PIXELS": (
        "Clouds, nodata or the mask leave nothing to compute with.",
        "Take a clearer date, a larger `aoi`, or turn `cloud_mask` off.",
    ),
    "SCENE_TOO_LARGE": (
        "The job would read more pixels or bytes than the service or the plan allows.",
        "Ask for a smaller `aoi`.",
    ),
    "SCENE_UNREADABLE": (
        "A file of the scene is no raster that can be read, or contradicts its item.",
        "Take the scene from another catalogue, or another date.",
    ),
    "PROVIDER_UNAVAILABLE": (
        "No catalogue of the provider answers, or the store of its files does not.",
        "Jobs are tried again by themselves. Submit again later.",
    ),
    "STORAGE_UNAVAILABLE": (
        "The result, or a copy of the scene, could not be stored.",
        "Submit again later; the operator has an alarm.",
    ),
    "TIMED_OUT": ("The job took longer than the service allows.", "Ask for a smaller `aoi`, or fewer bands."),
    "WORKER_LOST": ("Worker after worker was lost while it had the job.", "Submit it again."),
    "CANCELED": ("You or staff cancelled the job.", "Nothing. Submit it again if you want it after all."),
}
_NEVER_OF_A_JOB = {InvalidSceneId.code}


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    code: str
    statuses: tuple[int, ...]  # of answers
    fails_jobs: bool
    when: str
    advice: str


def error_table() -> list[ErrorRow]:
    """A row for every code there is. Raises KeyError for one without advice."""
    return [_row(code) for code in dict.fromkeys([*(problem.code for problem in Problem), *_ADVICE])]


def _row(code: str) -> ErrorRow:
    statuses = tuple(sorted({problem.status for problem in Problem if problem.code == code}))
    when, advice = _ADVICE[code]
    fails_jobs = not statuses or code in raster_codes()
    return ErrorRow(code=code, statuses=statuses, fails_jobs=fails_jobs, when=when, advice=advice)


def raster_codes() -> set[str]:
    """The codes with which the raster code ends jobs."""
    return {error.code for error in _family(RasterError)} - _NEVER_OF_A_JOB


def _family(error: type[RasterError]) -> Iterator[type[RasterError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)
