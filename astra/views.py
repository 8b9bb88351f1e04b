"""The addresses that belong to no app."""

from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .exceptions import error_response


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
        raise Http404


def error_page(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """The envelope for errors outside of our views, such as a wrong Host header."""
    answer = error_response(exception or RuntimeError("unexpected"), {"request": request})
    return JsonResponse(answer.data, status=answer.status_code)
