"""The few addresses that belong to no app."""

from typing import Any

from django.db import connection
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .exceptions import error_response


class Health(APIView):
    """Whether this process answers and reaches the database; open to anyone."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok"})


class Missing(APIView):
    """Any address that is none, by any method: 404 in the envelope, even for callers without a key."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404


def error_page(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """What Django answers itself, before or around our views (a wrong Host header, say), in the envelope as well."""
    answer = error_response(exception or RuntimeError("unexpected"), {"request": request})
    return JsonResponse(answer.data, status=answer.status_code)
