"""The addresses that belong to no app."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import resolve
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .exceptions import ApiError, Problem, error_response

_SHOWN = 200  # characters of a path that an answer repeats


class Health(APIView):
    """Says that this process answers. It asks nobody, so that no outage elsewhere has it restarted. Open to anyone."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Missing(APIView):
    """An unknown address, by any method: 404 in the envelope, also for callers without a key."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        path = request.path
        message = f"There is no path {path[:_SHOWN]}."
        if path.endswith("/") and _exists(path.rstrip("/")):
            message = f"{message} Without the slash at its end there is."
        raise ApiError(Problem.NOT_FOUND, message)


def _exists(path: str) -> bool:
    return getattr(resolve(path or "/").func, "view_class", None) is not Missing


def error_page(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """The envelope for errors outside of our views, such as a wrong Host header."""
    answer = error_response(exception or RuntimeError("unexpected"), {"request": request})
    response = JsonResponse(answer.data, status=answer.status_code)
    for name, value in answer.headers.items():
        response.headers.setdefault(name, value)
    return response
