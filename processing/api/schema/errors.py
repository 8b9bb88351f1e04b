"""The answers to a request: those that succeed, and from the one table of errors those that do not."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from pydantic import Field

from astra.exceptions import Problem

from .bodies.body import ABSENT, Body, OpenBody, one_of

CODES = sorted({problem.code for problem in Problem})

# Whatever is asked for.
ALWAYS = (Problem.VALIDATION_ERROR, Problem.WRONG_HOST, Problem.MALFORMED, Problem.INTERNAL_ERROR)
WITH_A_KEY = (
    *ALWAYS,
    *(Problem.NO_KEY, Problem.UNKNOWN_KEY, Problem.FORBIDDEN, Problem.RATE_LIMITED, Problem.DATABASE_UNAVAILABLE),
)
WITH_A_BODY = (Problem.PAYLOAD_TOO_LARGE, Problem.UNSUPPORTED_MEDIA_TYPE)
# What the metadata of a job's scenes can show already.
OF_SCENES = (
    *(Problem.INVALID_ID_FORMAT, Problem.SCENE_NOT_FOUND, Problem.AMBIGUOUS_SCENE_ID, Problem.SAME_SCENE_TWICE),
    *(Problem.BAND_NOT_FOUND, Problem.OFFSET_UNKNOWN, Problem.AOI_OUTSIDE_SCENE, Problem.SCENES_DO_NOT_OVERLAP),
    *(Problem.SCENE_TOO_LARGE, Problem.SCENE_UNREADABLE, Problem.PROVIDER_UNAVAILABLE, Problem.TOO_MANY_LOOK_UPS),
)
# Sentences of problems that have none of their own in the table.
_SENTENCES = {
    Problem.VALIDATION_ERROR: "limit: This must be a whole number from 1 to 100, without zeros before it.",
    Problem.INVALID_ID_FORMAT: "scene_ids[0]: The provider and its colon are missing.",
    Problem.RATE_LIMITED: "This key may send 600 requests a minute, and 100 at once. Try again in 2 s.",
    Problem.QUEUE_FULL: "5000 jobs of your account wait in the queue, as many as its plan allows.",
    Problem.CONFLICT: "The job is finished, so there is nothing to cancel.",
    Problem.RANGE_NOT_SATISFIABLE: "The file has 2048 bytes; the range asked for lies behind its end.",
}
_MEANINGS = {
    400: "The request is wrong; `details.errors` names every fault.",
    401: "There is no key, or none that works.",
    403: "The key, or the link, does not allow this.",
    404: "There is no such thing for this key.",
    409: "That does not fit the state of what is there.",
    410: "It has been deleted, or the link has expired.",
    412: "The file is another version.",
    413: "The body is too large.",
    415: "The body is not plain JSON.",
    416: "The range lies behind the end of the file.",
    422: "The request is well formed but cannot be done.",
    429: "Too much at once. Try again after `Retry-After`.",
    500: "Something failed on our side.",
    503: "Something that is needed is away. Try again after `Retry-After`.",
}


class Fault(Body):
    """One thing that is wrong with a request."""

    parameter: str = Field(description="Such as `params.bands[2]`; empty for the body as a whole.")
    message: str
    received: Any = Field(description="What was sent, cut at 200 characters.")
    code: Annotated[str, one_of(CODES)]


class ProblemDetails(OpenBody):
    errors: list[Fault] = ABSENT


class ProblemReport(Body):
    code: Annotated[str, one_of(CODES)]
    message: str = Field(description="A sentence to act on.")
    details: ProblemDetails


class Error(Body):
    """The one form of every error."""

    error: ProblemReport


def refusals(problems: Iterable[Problem]) -> dict[int, OpenApiResponse]:
    """By status, with an example for each row of the table."""
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for problem in dict.fromkeys(problems):
        by_status[problem.status].append(problem)
    return {status: _refusal(status, of_status) for status, of_status in sorted(by_status.items())}


def _refusal(status: int, problems: list[Problem]) -> OpenApiResponse:
    codes = ", ".join(f"`{code}`" for code in dict.fromkeys(problem.code for problem in problems))
    examples = [OpenApiExample(problem.name, value=_example(problem)) for problem in problems]
    description = f"{codes}. {_MEANINGS[status]}"
    return OpenApiResponse(response=Error, description=description, examples=examples)


def _example(problem: Problem) -> dict[str, Any]:
    message = problem.message or _SENTENCES.get(problem, "What is wrong, and what to do about it.")
    return {"error": {"code": problem.code, "message": message, "details": {}}}
