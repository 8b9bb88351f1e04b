"""The gate of the API: whose key a request has, whether its plan admits it, and what is counted of it."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException

from astra.exceptions import ApiError, Problem
from astra.views import error_page

from . import usage
from .authentication import find_key
from .buckets import Allowance, Rate, take
from .models import ApiKey


class Gate:
    """Stands before all that may refuse a request, so that every answer to a valid key says what is left of its plan.

    Without a key a request passes: the view says that it needs one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return self._get_response(request)
        try:
            key = find_key(request)
        except (APIException, ApiError, DatabaseError) as error:
            return error_page(request, error)
        return self._get_response(request) if key is None else self._answer(request, key)

    def _answer(self, request: HttpRequest, key: ApiKey) -> HttpResponseBase:
        limits = key.account.limits
        rate = Rate(per_minute=limits.requests_per_minute, burst=limits.burst, per_day=limits.requests_per_day)
        allowance = take(f"key:{key.pk}", rate, key.pk)
        request.api_key, request.allowance = key, allowance  # type: ignore[attr-defined]  # for the views
        if allowance.is_admitted:
            response = self._get_response(request)
            if response.status_code >= 400:
                usage.count(key.pk, errors=1)
        else:
            response = error_page(request, _refusal(rate, allowance))
        response["X-RateLimit-Limit"] = str(rate.per_minute)
        response["X-RateLimit-Remaining"] = str(allowance.remaining)
        response["X-RateLimit-Reset"] = str(allowance.reset_at)
        return response


def _refusal(rate: Rate, allowance: Allowance) -> ApiError:
    seconds = allowance.retry_after
    may = f"{rate.per_minute} requests a minute, and {rate.burst} at once"
    if allowance.remaining_today == 0:
        may = f"{rate.per_day} requests a day (UTC)"
    message = f"This key may send {may}. Try again in {seconds} s."
    return ApiError(Problem.RATE_LIMITED, message, {"retry_after": seconds}, {"Retry-After": str(seconds)})
