"""What every answer carries, and one log line for every request."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path

from . import __version__, logs

logger = logging.getLogger("astra.requests")

_PROPER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Asked every few seconds by machines. What goes wrong with them is logged all the same.
_PROBES = ("/healthz", "/readyz", "/metrics")


class Traced:
    """Gives every request an id, the caller's own if it is proper, that its answer and all its log lines carry.

    Stands first, so that answers of other middleware have the headers, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun, request_id = time.perf_counter(), _id_of(request)
        logs.unbind_all()
        logs.bind(request_id=request_id)
        response = self._get_response(request)
        response["X-Request-Id"], response["X-Astra-Version"] = request_id, __version__
        _log(request, response, begun)
        return response


@receiver(request_finished)
def _forget(**_: Any) -> None:
    """Not earlier: Django logs a refusal after all middleware, and a file is sent later still."""
    logs.unbind_all()


def _id_of(request: HttpRequest) -> str:
    sent = request.headers.get("X-Request-Id", "")
    return sent if _PROPER_ID.fullmatch(sent) else uuid4().hex


def _log(request: HttpRequest, response: HttpResponseBase, begun: float) -> None:
    """Without the query, which holds the signatures of links."""
    if request.path in _PROBES and response.status_code < 400:
        return
    told = {
        "method": request.method,
        "path": escape_uri_path(request.path),
        "status": response.status_code,
        "milliseconds": round(1000 * (time.perf_counter() - begun), 1),
    }
    logger.info("%(method)s %(path)s %(status)s in %(milliseconds)s ms", told, extra=told)
