"""Every error of the API: the one table of their status, code and sentence, and the one envelope around them."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response

from . import logs
from .refusals import count_refusal

logger = logging.getLogger(__name__)

_RETRY_AFTER_SECONDS = 5
_SHOWN = 200  # characters of a wrong name or value that an answer repeats
_MOST_FAULTS = 50  # that an answer names one by one


class Problem(Enum):
    """HTTP status, code, default sentence, and the exceptions of Django and DRF that mean it.

    Without a default sentence the exception's own is shown. The first row that fits counts: RequestDataTooBig is
    a SuspiciousOperation, too.
    """

    VALIDATION_ERROR = 400, "VALIDATION_ERROR", "", (drf.ParseError, drf.ValidationError)
    INVALID_ID_FORMAT = 400, "INVALID_ID_FORMAT"
    NO_KEY = (
        401,
        "UNAUTHORIZED",
        "The key must be sent as 'Authorization: Bearer astra_sk_...'.",
        (drf.NotAuthenticated,),
    )
    UNKNOWN_KEY = 401, "UNAUTHORIZED", "This API key is not valid.", (drf.AuthenticationFailed,)
    FORBIDDEN = 403, "FORBIDDEN", "This is not allowed.", (drf.PermissionDenied, PermissionDenied)
    NOT_FOUND = 404, "NOT_FOUND", "There is nothing at this address.", (Http404, drf.NotFound)
    SCENE_NOT_FOUND = 404, "SCENE_NOT_FOUND"
    METHOD_NOT_ALLOWED = 405, "METHOD_NOT_ALLOWED", "", (drf.MethodNotAllowed,)
    CONFLICT = 409, "CONFLICT"
    AMBIGUOUS_SCENE_ID = 409, "AMBIGUOUS_SCENE_ID"
    EXPIRED = 410, "EXPIRED", "This result has been deleted. Submit the job again to get a new one."
    PAYLOAD_TOO_LARGE = 413, "PAYLOAD_TOO_LARGE", "The body is larger than 64 KiB.", (RequestDataTooBig,)
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "Send the body as Content-Type: application/json.",
        (drf.UnsupportedMediaType,),
    )
    PRECONDITION_FAILED = 412, "PRECONDITION_FAILED", "The file is not the version that the request asks for."
    RANGE_NOT_SATISFIABLE = 416, "VALIDATION_ERROR"
    IDEMPOTENCY_MISMATCH = (
        422,
        "IDEMPOTENCY_MISMATCH",
        "This Idempotency-Key was used with another body. Take a new key for a new job.",
    )
    # What a job over these scenes with these params would end with.
    AOI_OUTSIDE_SCENE = 422, "AOI_OUTSIDE_SCENE"
    BAND_NOT_FOUND = 422, "BAND_NOT_FOUND"
    OFFSET_UNKNOWN = 422, "OFFSET_UNKNOWN"
    SAME_SCENE_TWICE = 422, "SAME_SCENE_TWICE"
    SCENE_TOO_LARGE = 422, "SCENE_TOO_LARGE"
    SCENE_UNREADABLE = 422, "SCENE_UNREADABLE"
    SCENES_DO_NOT_OVERLAP = 422, "SCENES_DO_NOT_OVERLAP"
    RATE_LIMITED = 429, "RATE_LIMITED", "", (drf.Throttled,)
    QUEUE_FULL = 429, "QUEUE_FULL"
    WRONG_HOST = (
        400,
        "VALIDATION_ERROR",
        "The Host header is not a name of this service.",
        (DisallowedHost,),
    )
    MALFORMED = 400, "VALIDATION_ERROR", "The request is malformed.", (SuspiciousOperation, BadRequest)
    DATABASE_UNAVAILABLE = (
        503,
        "SERVICE_UNAVAILABLE",
        "The database is not available. Try again in a few seconds.",
        (OperationalError,),
    )
    TOO_MANY_LOOK_UPS = (
        503,
        "SERVICE_UNAVAILABLE",
        "Too many scenes are being looked up, as a catalogue answers slowly. Try again in a few seconds.",
    )
    PROVIDER_UNAVAILABLE = 503, "PROVIDER_UNAVAILABLE"
    STORAGE_UNAVAILABLE = 503, "STORAGE_UNAVAILABLE"
    INTERNAL_ERROR = (
        500,
        "INTERNAL_ERROR",
        "Something failed on our side. Try again; if it stays, tell the operator.",
        (Exception,),
    )

    def __init__(self, status: int, code: str, message: str = "", exceptions: tuple[type[Exception], ...] = ()) -> None:
        self.status, self.code, self.message, self.exceptions = status, code, message, exceptions


class ApiError(Exception):
    """A problem with a sentence of its own. Its status and code stand in the table."""

    def __init__(
        self,
        problem: Problem,
        message: str = "",
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or problem.message)
        self.problem, self.details, self.headers = problem, details or {}, headers or {}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request. `parameter` is empty for the body as a whole; `code` names a Problem."""

    parameter: str
    message: str
    received: Any
    code: str = Problem.VALIDATION_ERROR.name

    @property
    def sentence(self) -> str:
        return f"{self.parameter[:_SHOWN]}: {self.message}" if self.parameter else self.message

    def as_detail(self) -> dict[str, Any]:
        parameter, received = self.parameter[:_SHOWN], _shown(self.received)
        return {"parameter": parameter, "message": self.message, "received": received, "code": self.code}


def _shown(value: Any) -> Any:
    """The value as JSON: plain ones as they are, arrays and objects as their text, all cut."""
    if isinstance(value, str):
        return value[:_SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return value if not isinstance(value, list | dict) and len(text) <= _SHOWN else text[:_SHOWN]


class InvalidRequest(ApiError):
    """The request's content is wrong, in every way that `faults` name. Its code is theirs if all have the same."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        codes = {fault.code for fault in faults}
        problem = Problem[codes.pop()] if len(codes) == 1 else Problem.VALIDATION_ERROR
        named = faults[:_MOST_FAULTS]
        sentences = [fault.sentence for fault in named]
        if len(faults) > len(named):
            sentences.append(f"{len(faults) - len(named)} more faults are not named.")
        super().__init__(problem, " ".join(dict.fromkeys(sentences)), {"errors": [each.as_detail() for each in named]})


def error_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: the envelope for any exception, with the headers that belong to it."""
    answer = _as_api_error(error, context)
    status, code = answer.problem.status, answer.problem.code
    count_refusal(code)
    if status >= 500:  # the request is not named, because its query may hold the signature of a link
        logger.error("answered %s", code, exc_info=error)
    body = {"error": {"code": code, "message": str(answer), "details": answer.details}}
    return Response(body, status=status, headers={**_headers(status, error), **answer.headers})


def _as_api_error(error: Exception, context: Mapping[str, Any]) -> ApiError:
    if isinstance(error, ApiError):
        return error
    problem = next(row for row in Problem if isinstance(error, row.exceptions))
    request_id = logs.bound_ids().get("request_id")
    details = {"request_id": request_id} if problem is Problem.INTERNAL_ERROR and request_id else {}
    return ApiError(problem, problem.message or _sentence_of(error, context), details)


def _sentence_of(error: Exception, context: Mapping[str, Any]) -> str:
    if not isinstance(error, drf.MethodNotAllowed) or "view" not in context:
        return str(getattr(error, "detail", error))
    method, possible = (context["request"].method or "")[:_SHOWN], ", ".join(context["view"].allowed_methods)
    return f"{method} is not possible at this address; possible are: {possible}."


def _headers(status: int, error: Exception) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status == 429:
        return {"Retry-After": str(max(1, math.ceil(getattr(error, "wait", None) or 1)))}
    return {"Retry-After": str(_RETRY_AFTER_SECONDS)} if status == 503 else {}
