"""`GET /api/v1/openapi.json`: the whole API as OpenAPI 3.1."""

import hashlib
import json
from functools import lru_cache
from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from rest_framework.request import Request
from rest_framework.views import APIView

from astra import __version__

from ...links import origin_of
from ..views import matches
from .bodies.accounts import Ping
from .bodies.body import schemas_of
from .sharing import share_headers
from .webhooks import webhooks

_MOST_ORIGINS = 8  # names of this service whose document is kept
# While drf-spectacular looks at the views, it puts others in their place.
_one_at_a_time = Lock()
_CACHING = "public, max-age=300"
_PLACES = ("path", "query", "header")
_DESCRIPTION = (
    "Runs analytics on satellite scenes. A caller with an API key posts a job, NDVI of one scene or the changes "
    "between two, polls until it is `completed`, and downloads a Cloud Optimized GeoTIFF from a signed link.\n\n"
    "Any error has one form, `Error`; its `code` says what is wrong and its `message` what to do. By every address a "
    "method that is not described here is 405 `METHOD_NOT_ALLOWED`. Bodies are JSON of 64 KiB at most, not compressed; "
    "a parameter of a query may stand there once."
)
_TAGS = {
    "Jobs": "Submit, poll, list, cancel.",
    "Results": "The files of completed jobs.",
    "Scenes": "What a job can read and do.",
    "Account": "Plan, limits, usage, and a try of your receiver.",
    "Webhooks": "What the service sends by itself, signed as Standard Webhooks has it.",
    "Service": "For load balancers, monitoring and tools.",
}


class OpenApiDocument(APIView):
    """Open to anyone."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        content, etag = _rendered(origin_of(request))
        is_known = matches(request, etag)
        response = HttpResponse(b"" if is_known else content, "application/json", 304 if is_known else 200)
        response["ETag"], response["Cache-Control"] = etag, _CACHING
        return response


@lru_cache(_MOST_ORIGINS)
def _rendered(origin: str) -> tuple[bytes, str]:
    """The document of the service at this address, and its ETag."""
    with _one_at_a_time:
        content = json.dumps({**document(), "servers": [{"url": origin}]}, ensure_ascii=False).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def document() -> dict[str, Any]:
    """The description of all that the service can do. Not to be made by two threads at once."""
    described = share_headers(_described())
    described["webhooks"] = webhooks()
    files = described["paths"]["/files/{key}"]
    files["head"] = _without_content(files["get"])
    return described


def _described() -> dict[str, Any]:
    with patched_settings(_settings()):
        return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def _settings() -> dict[str, Any]:
    return {
        "OAS_VERSION": "3.1.1",
        "TITLE": "ASTRA Processing",
        "VERSION": __version__,
        "DESCRIPTION": _DESCRIPTION,
        "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        "TAGS": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "APPEND_COMPONENTS": {"schemas": schemas_of(Ping)},
        "POSTPROCESSING_HOOKS": [],
        "SORT_OPERATIONS": False,
        "SORT_OPERATION_PARAMETERS": lambda parameter: _PLACES.index(parameter["in"]),
    }


def _without_content(operation: dict[str, Any]) -> dict[str, Any]:
    """The same by HEAD: its answers have headers only."""
    answers = {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in operation["responses"].items()
    }
    return {**operation, "operationId": "check_result", "summary": "Check a download", "responses": answers}
