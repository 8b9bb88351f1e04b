"""What holds for every request and its answer: strict addresses, ids, one log line, headers, compression."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.core.exceptions import DisallowedHost
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.encoding import escape_uri_path

from . import __version__, logs
from .exceptions import ApiError
from .pages import content_policy
from .parsing import check_query
from .views import error_page

logger = logging.getLogger("astra.requests")

_PROPER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST_HOST_CHARACTERS = 253 + len(":65535")  # of a name in the DNS, and a port
_LEAST_COMPRESSED_BYTES = 1024
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
        if response.status_code < 500:  # Django's debug page, which only DEBUG shows, has its scripts inside
            response.headers.setdefault("Content-Security-Policy", content_policy())
        _finish(request, response)
        _log(request, response, begun)
        return response


class StrictAddress:
    """Refuses wrong hosts, and queries that can be read in two ways, before any view reads them.

    Django would refuse most of the hosts itself, with a traceback in the log for each.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if len(request.get_host()) > _MOST_HOST_CHARACTERS:
                raise DisallowedHost
            if request.path.startswith(("/api/", "/files/", "/view/")):
                check_query(request.META.get("QUERY_STRING", ""))
        except (ApiError, DisallowedHost) as error:
            return error_page(request, error)
        return self._get_response(request)


class CompressedJSON(GZipMiddleware):
    """Compresses JSON above 1 KiB; rasters are compressed already, and streamed.

    An ETag becomes a weak one, by which If-None-Match still finds its answer. A length tells nothing about a secret
    (BREACH): what is secret, the signatures of links, only the holder of a key can ask for, whom no other site can make
    ask, as a key travels in a header and never by itself. Django adds a random number of bytes all the same.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, HttpResponse) or len(response.content) < _LEAST_COMPRESSED_BYTES:
            return response
        if not response.get("Content-Type", "").partition(";")[0].endswith("json"):
            return response
        return super().process_response(request, response)


@receiver(request_finished)
def _forget(**_: Any) -> None:
    """Not earlier: Django logs a refusal after all middleware, and a file is sent later still."""
    logs.unbind_all()


def _id_of(request: HttpRequest) -> str:
    sent = request.headers.get("X-Request-Id", "")
    return sent if _PROPER_ID.fullmatch(sent) else uuid4().hex


def _finish(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say how long the content is, and leave it out if only the headers were asked for. The web server does neither."""
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        if not response.content:
            del response["Content-Type"]  # an answer to a preflight is no HTML
    if request.method != "HEAD":
        return
    if isinstance(response, FileResponse):
        response.file_to_stream, response.streaming_content = None, ()
    elif isinstance(response, HttpResponse):
        response.content = b""


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
