"""The API reference: every address, as the service's OpenAPI document describes it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..api.schema import OpenApiDocument
from .markdown import anchor

_METHODS = ("get", "head", "post", "put", "patch", "delete")
_OF_EVERY_REQUEST = ("X-Request-Id",)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one address. `parameters` and `answers` are as OpenAPI has them."""

    id: str
    method: str
    path: str
    group: str
    summary: str
    description: str
    parameters: tuple[Mapping[str, Any], ...]
    fields: tuple[Mapping[str, Any], ...]  # of the body
    answers: Mapping[str, Mapping[str, Any]]


def endpoints(request: HttpRequest) -> list[Endpoint]:
    """Grouped, and in the groups' order."""
    document = _document(request)
    groups = [tag["name"] for tag in document["tags"]]
    return sorted(_endpoints(document), key=lambda each: groups.index(each.group))


def _document(request: HttpRequest) -> dict[str, Any]:
    """The document as it is served to anyone who asks for all of it."""
    whole = HttpRequest()
    whole.method = "GET"
    whole.META = {name: value for name, value in request.META.items() if name != "HTTP_IF_NONE_MATCH"}
    return dict(json.loads(OpenApiDocument.as_view()(whole).content))


def _endpoints(document: Mapping[str, Any]) -> Iterator[Endpoint]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if method in _METHODS:
                yield _endpoint(method, path, described, document)


def _endpoint(method: str, path: str, described: Mapping[str, Any], document: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        id=anchor(described["operationId"]),
        method=method.upper(),
        path=path,
        group=described["tags"][0],
        summary=described["summary"],
        description=described.get("description", ""),
        parameters=tuple(each for each in described.get("parameters", []) if each["name"] not in _OF_EVERY_REQUEST),
        fields=tuple(_fields(described, document)),
        answers=described["responses"],
    )


def _fields(described: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of the JSON body, those of all its forms once."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    found: dict[str, dict[str, Any]] = {}
    for form in _forms(content.get("schema", {}), document):
        for name, schema in form.get("properties", {}).items():
            is_required = name in form.get("required", [])
            found.setdefault(
                name, {"name": name, "required": is_required, "description": schema.get("description", "")}
            )
    yield from found.values()


def _forms(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The object schemas that the schema refers to."""
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    choices = [*schema.get("oneOf", []), *schema.get("anyOf", [])]
    for choice in choices:
        yield from _forms(choice, document)
    if not choices:
        yield schema
