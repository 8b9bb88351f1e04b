"""What stands in paths and queries."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from ...models.status import Status
from ...raster.operations import all_operations
from .bodies.jobs import JOB_ID as JOB_ID_PATTERN
from .examples import SCENE

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}


def _path(name: str, schema: Mapping[str, Any], description: str, *examples: str) -> OpenApiParameter:
    named = [OpenApiExample(f"example_{number}", value=value) for number, value in enumerate(examples, 1)]
    return OpenApiParameter(name, dict(schema), OpenApiParameter.PATH, description=description, examples=named)


def _query(name: str, schema: Mapping[str, Any], description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, dict(schema), description=description, required=required)


JOB_ID = _path("job_id", {**_TEXT, "pattern": JOB_ID_PATTERN}, "As the submit answered it.")
SCENE_ID = _path("scene_id", _TEXT, "`provider:original_id`.", SCENE)
OF_LINKS = [
    _path("key", _TEXT, "Path of the file, as the link has it."),
    _query("expires", _TEXT, "As the link has it.", required=True),
    _query("sig", _TEXT, "As the link has it.", required=True),
]
OF_LISTS = [
    _query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Jobs of a page."),
    _query("cursor", _TEXT, "Where the page begins; take the whole `next` link."),
    _query("status", {**_TEXT, "enum": list(Status.values)}, "Only jobs of this status."),
    _query("operation", {**_TEXT, "enum": list(all_operations())}, "Only jobs of this operation."),
    _query("created_after", _TIME, "Only jobs that were created later."),
    _query("created_before", _TIME, "Only jobs that were created earlier."),
]
