"""Everything that can go wrong, by name. Each error has a code, a sentence that says what to do, and details."""

from __future__ import annotations  # a job names these errors, and one of them its job

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from .waiting import retry_after

if TYPE_CHECKING:
    from .jobs import Job


class AstraError(Exception):
    """The root of all errors of this package. `code` is the API's, where the API said it."""

    code = "CLIENT_ERROR"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.details = message, dict(details or {})


class Misconfigured(AstraError):
    """The address or the key cannot be right."""

    code = "MISCONFIGURED"


class Unreachable(AstraError):
    """Nothing answered, or something that is not ASTRA."""

    code = "UNREACHABLE"


class StillRunning(AstraError):
    """The job had not finished when `timeout` was over. It goes on."""

    code = "STILL_RUNNING"


class NoResult(AstraError):
    """The job has no file: it is not completed."""

    code = "CONFLICT"  # as the API answers


class ResultDeleted(NoResult):
    """The job's file has been deleted, as it was kept long enough."""

    code = "EXPIRED"

    def __init__(self) -> None:
        super().__init__("The result has been deleted. Submit the job again to get a new one.")


class CannotWrite(AstraError):
    """The file cannot be written where it should be."""

    code = "CANNOT_WRITE"


class CorruptDownload(AstraError):
    """What arrived has not the size or the checksum that the job names. Nothing of it is kept."""

    code = "CORRUPT_DOWNLOAD"


class NotInstalled(AstraError):
    """A library that opens rasters is not installed."""

    code = "NOT_INSTALLED"


class InvalidWebhook(AstraError):
    """Not signed with this secret, not signed just now, or not a webhook at all. Answer it with 400."""

    code = "INVALID_WEBHOOK"


class JobFailed(AstraError):
    """The job ended `failed`. `code`, `message` and `details` are those of its `error`."""

    def __init__(self, job: Job) -> None:
        error = job.error or {}
        super().__init__(str(error.get("message") or "The job failed."), error.get("details"))
        self.code, self.job = str(error.get("code") or "INTERNAL_ERROR"), job


class ApiError(AstraError):
    """The service refused the request, with `status` and the API's `code`."""

    def __init__(self, response: httpx2.Response, *, is_repeated: bool = False) -> None:
        error = _envelope(response)
        self.code, self.status = str(error.get("code") or f"HTTP_{response.status_code}"), response.status_code
        self.request_id = response.headers.get("X-Request-Id")
        self.retry_after = retry_after(response)
        self.is_repeated = is_repeated  # an earlier try of the same request may have been carried out
        sentence = f"The service answered {response.status_code} {response.reason_phrase}".strip() + "."
        super().__init__(str(error.get("message") or sentence), error.get("details"))


class InvalidRequest(ApiError):
    """Something in the request is wrong; `details["errors"]` names each fault."""


class Unauthorized(ApiError):
    """The key is not valid, or none was sent."""


class Forbidden(ApiError):
    """The key may not do this."""


class NotFound(ApiError):
    """There is no such job or scene."""


class Conflict(ApiError):
    """The job is not in a state in which this can be done."""


class Expired(ApiError):
    """The result has been deleted."""


class RateLimited(ApiError):
    """Too many requests, or too many jobs in the queue (`QUEUE_FULL`). It stayed so however often it was tried."""


class ServiceUnavailable(ApiError):
    """Something failed on the service's side. It stayed so however often it was tried."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}


def refusal(response: httpx2.Response, *, is_repeated: bool = False) -> ApiError:
    """The error that an answer of 4xx or 5xx means."""
    fallback = ServiceUnavailable if response.status_code >= 500 else ApiError
    return _BY_STATUS.get(response.status_code, fallback)(response, is_repeated=is_repeated)


def _envelope(response: httpx2.Response) -> Mapping[str, Any]:
    """The answer's `error` object. Empty for answers of something else, such as a proxy's page."""
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
