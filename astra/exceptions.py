"""The one table from an exception to its HTTP status and code, and the one envelope of every error."""

import logging
import math
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

logger = logging.getLogger(__name__)


class ApiError(APIException):
    """An error with a code of its own. `details` goes into the envelope."""

    code = "INTERNAL_ERROR"

    def __init__(self, detail: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.details = details


class NamedProblem(ApiError):
    """A problem that has its name and sentence from elsewhere."""

    def __init__(self, http_status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(message, details)
        self.status_code, self.code = http_status, code


class InvalidRequest(ApiError):
    """The request's content is wrong. `faults` names every parameter that is."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, message: str, faults: list[dict[str, Any]], code: str = "VALIDATION_ERROR") -> None:
        super().__init__(message, {"errors": faults})
        self.code = code


class PayloadTooLarge(ApiError):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    code = "PAYLOAD_TOO_LARGE"
    default_detail = "The body is larger than 64 KiB."


class Conflict(ApiError):
    status_code = status.HTTP_409_CONFLICT
    code = "CONFLICT"


class Expired(ApiError):
    status_code = status.HTTP_410_GONE
    code = "EXPIRED"


class IdempotencyMismatch(ApiError):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    code = "IDEMPOTENCY_MISMATCH"


# The first row whose class fits.
_TABLE: tuple[tuple[type[Exception], int, str, str], ...] = (
    (Http404, 404, "NOT_FOUND", "There is nothing at this address."),
    (drf.NotFound, 404, "NOT_FOUND", "There is nothing at this address."),
    (drf.NotAuthenticated, 401, "UNAUTHORIZED", "Send your API key as 'Authorization: Bearer astra_sk_...'."),
    (drf.AuthenticationFailed, 401, "UNAUTHORIZED", "This API key is not valid."),
    (drf.PermissionDenied, 403, "FORBIDDEN", "This is not allowed."),
    (PermissionDenied, 403, "FORBIDDEN", "This is not allowed."),
    (drf.MethodNotAllowed, 405, "METHOD_NOT_ALLOWED", ""),
    (
        drf.UnsupportedMediaType,
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "Send the body as Content-Type: application/json.",
    ),
    (RequestDataTooBig, 413, "PAYLOAD_TOO_LARGE", PayloadTooLarge.default_detail),
    (drf.ParseError, 400, "VALIDATION_ERROR", ""),
    (drf.ValidationError, 400, "VALIDATION_ERROR", ""),
    (SuspiciousOperation, 400, "VALIDATION_ERROR", "The request is malformed."),
    (BadRequest, 400, "VALIDATION_ERROR", "The request is malformed."),
    (drf.Throttled, 429, "RATE_LIMITED", ""),
    (
        OperationalError,
        503,
        "SERVICE_UNAVAILABLE",
        "The database is not available. Try again in a few seconds.",
    ),
)
_RETRY_AFTER_SECONDS = 5


def error_response(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: the envelope for whatever was raised, with the headers that belong to it."""
    http_status, code, message, details = _describe(error)
    if http_status >= 500:
        logger.error("%s answered %s", context.get("request"), code, exc_info=error)
    response = Response(envelope(code, message, details), status=http_status)
    if http_status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if http_status == 503:
        response["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    if http_status == 429:
        response["Retry-After"] = str(max(1, math.ceil(getattr(error, "wait", None) or 1)))
    return response


def envelope(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details or {}}}


def _describe(error: Exception) -> tuple[int, str, str, dict[str, Any] | None]:
    if isinstance(error, ApiError):
        return error.status_code, error.code, str(error.detail), error.details
    for kind, http_status, code, message in _TABLE:
        if isinstance(error, kind):
            return http_status, code, message or str(getattr(error, "detail", error)), None
    return (
        500,
        "INTERNAL_ERROR",
        "Something failed on our side. Try again; if it stays, tell the operator.",
        None,
    )
