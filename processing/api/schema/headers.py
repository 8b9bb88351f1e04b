"""The headers of requests and answers."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter

from astra.exceptions import Problem

_INTEGER = {"type": "integer", "minimum": 0}
_STATUSES = sorted({200, 202, 206, 304, *(problem.status for problem in Problem)})
_BEFORE_A_KEY_IS_KNOWN = (400, 401, 429, 500, 503)
_LIMITS = {
    "X-RateLimit-Limit": "Requests a minute that the plan allows.",
    "X-RateLimit-Remaining": "Requests that may be sent at once now.",
    "X-RateLimit-Reset": "Unix seconds: when all of them may be sent at once again.",
}
_AFTER_A_WHILE = (429, 503)


def sent(name: str, description: str, schema: dict[str, object] | None = None) -> OpenApiParameter:
    """A header of the request."""
    return OpenApiParameter(name, schema or {"type": "string"}, OpenApiParameter.HEADER, description=description)


def given(
    name: str, statuses: Sequence[int], description: str, schema: dict[str, object] | None = None, always: bool = True
) -> OpenApiParameter:
    """A header of answers with these statuses; `always` unless what is asked for decides."""
    return OpenApiParameter(
        name,
        schema or {"type": "string"},
        OpenApiParameter.HEADER,
        description=description,
        required=always,
        response=[*statuses],
    )


IDEMPOTENCY_KEY = sent(
    "Idempotency-Key",
    "Quoted or bare, kept 24 hours per account and mode: the same body gets the first answer again.",
    {"type": "string", "minLength": 1, "maxLength": 257},
)
PREFER = sent("Prefer", "`wait=N`, 1 to 30: answer with the finished job if it ends within N seconds.")
IF_NONE_MATCH = sent("If-None-Match", "The ETag of an earlier answer: 304 if nothing has changed.")


def etag(*statuses: int) -> OpenApiParameter:
    return given("ETag", statuses, "Changes with what the body shows.")


def retry_after(*statuses: int, always: bool = True) -> OpenApiParameter:
    return given("Retry-After", statuses, "Seconds after which to ask again.", _INTEGER, always)


def cache_control(*statuses: int) -> OpenApiParameter:
    return given("Cache-Control", statuses, "Who may keep the answer, and for how long.")


OF_FILES = [
    sent("Range", "One range of bytes, such as `bytes=0-16383`; anything else gets the whole file."),
    sent("If-Range", "The range only if the file still has this ETag or time, else all of it."),
    sent("If-Match", "412 if the file has another ETag."),
    sent("If-Modified-Since", "304 if the file has not changed since."),
    *(IF_NONE_MATCH, etag(200, 206, 304), cache_control(200, 206, 304)),
    given("Last-Modified", [200, 206], "When the file was stored."),
    given("Accept-Ranges", [200, 206], "`bytes`."),
    given("Content-Length", [200, 206], "Bytes of this answer.", _INTEGER),
    given("Content-Disposition", [200, 206], "The name to save the file by; not of a picture.", always=False),
    given("Content-Range", [206, 416], "Which bytes of how many."),
]
EVERYWHERE = [
    sent("X-Request-Id", "An id of yours for this request: up to 64 of A-Z, a-z, 0-9, `.`, `_`, `-`."),
    given("X-Request-Id", _STATUSES, "Yours, or a new one: by it the operator finds the request."),
    given("X-Astra-Version", _STATUSES, "Version of the service."),
    retry_after(*_AFTER_A_WHILE),
]


def limits(statuses: Sequence[int], *, always: bool) -> list[OpenApiParameter]:
    """What is left of the plan of the caller's key."""
    return [given(name, statuses, description, _INTEGER, always) for name, description in _LIMITS.items()]


WITH_A_KEY = [
    *limits([status for status in _STATUSES if status not in _BEFORE_A_KEY_IS_KNOWN], always=True),
    *limits([status for status in _BEFORE_A_KEY_IS_KNOWN if status != 401], always=False),
    given("WWW-Authenticate", [401], "`Bearer`."),
]
IF_A_KEY_IS_SENT = [
    *limits([200, 304, *_BEFORE_A_KEY_IS_KNOWN], always=False),
    given("WWW-Authenticate", [401], "`Bearer`."),
]
