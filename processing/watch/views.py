"""What load balancers and monitoring ask. None of it needs an API key."""

from django.http import HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import metrics, readiness
from .access import check_may_read_metrics


class _WithoutKey(APIView):
    authentication_classes = ()
    permission_classes = ()


class Readiness(_WithoutKey):
    def get(self, request: Request) -> Response:
        """200 while this process can serve; what is wrong elsewhere stands in `degraded`."""
        response = Response(readiness.report().body())
        response["Cache-Control"] = "no-store"
        return response


class Metrics(_WithoutKey):
    def get(self, request: Request) -> HttpResponse:
        """Prometheus' text format."""
        check_may_read_metrics(request)
        return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)
