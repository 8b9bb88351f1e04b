"""Every answer that a test gets from the service in its own process is held against the OpenAPI document."""

import gzip
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from processing.api.schema.document import document

_PREFIXES = ("/api/", "/files/", "/healthz", "/readyz", "/metrics")


class AnswersAsDescribed:
    """The outermost middleware of the tests. What it raises, their clients raise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.path_info.startswith(_PREFIXES) and request.method != "OPTIONS":
            check(request, response)
        return response


def check(request: HttpRequest, response: HttpResponseBase) -> None:
    """Raises AssertionError for a status, header, media type, error code or body that is not described."""
    method, path = str(request.method).lower(), template_of(request.path_info)
    operations = the_document()["paths"].get(path, {})
    described = operations.get("get" if method == "head" and "head" not in operations else method)
    if described is None:
        _check_error(request, response)
        return
    where = f"{request.method} {path} {response.status_code}"
    answer = described["responses"].get(str(response.status_code))
    assert answer is not None, f"{where}: this status is not described: {_text_of(response)[:300]}"
    _check_headers(where, answer.get("headers", {}), response)
    if method != "head" and not response.streaming:
        _check_content(where, answer.get("content", {}), response)
    elif method != "head":
        assert response["Content-Type"] in answer["content"], f"{where}: {response['Content-Type']}"


def template_of(path: str) -> str:
    """The path as the document writes it: `/api/v1/process/{job_id}`. Empty for one that does not exist."""
    try:
        return path_of_route(resolve(path).route)
    except Resolver404:
        return ""


def path_of_route(route: str) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


@cache
def the_document() -> dict[str, Any]:
    return document()


def _check_error(request: HttpRequest, response: HttpResponseBase) -> None:
    """Of an address or method that is not described: nothing but an error."""
    assert response.status_code >= 400, f"{request.method} {request.path_info} is not described"
    if request.method != "HEAD":
        faults = _faults("#/components/schemas/Error", _text_of(response))
        assert not faults, faults


def _check_headers(where: str, described: Mapping[str, Any], response: HttpResponseBase) -> None:
    for name, reference in described.items():
        header = the_document()["components"]["headers"][reference["$ref"].rpartition("/")[2]]
        value = response.headers.get(name)
        assert value is not None or not header.get("required"), f"{where}: the header {name} is missing"
        if value is not None and header["schema"]["type"] == "integer":
            assert int(value) >= 0, f"{where}: {name} is {value}"


def _check_content(where: str, described: Mapping[str, Any], response: HttpResponseBase) -> None:
    text = _text_of(response)
    if not described:
        assert text == "", f"{where}: this has a body"
        return
    media_type = response["Content-Type"].partition(";")[0] if "json" in response["Content-Type"] else ""
    if not media_type:
        assert response["Content-Type"].partition(";")[0] in described, f"{where}: {response['Content-Type']}"
        return
    assert media_type in described, f"{where}: {media_type}"
    content = described[media_type]
    faults = _faults(content["schema"].get("$ref", ""), text) if "$ref" in content["schema"] else []
    assert not faults, f"{where}: {faults}"
    if response.status_code >= 400:
        codes = {example["value"]["error"]["code"] for example in content["examples"].values()}
        assert json.loads(text)["error"]["code"] in codes, f"{where}: {text[:200]}"


def _text_of(response: HttpResponseBase) -> str:
    content: bytes = getattr(response, "content", b"")
    return (gzip.decompress(content) if response.headers.get("Content-Encoding") == "gzip" else content).decode()


def _faults(reference: str, text: str) -> list[str]:
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in _errors(reference, text)]


def _errors(reference: str, text: str) -> Any:
    return validator(reference).iter_errors(json.loads(text))


@cache
def validator(reference: str) -> jsonschema_rs.Draft202012Validator:
    """Of a schema of the document. Stricter than that: nothing may be there that it does not name."""
    schemas = {name: _closed(schema) for name, schema in the_document()["components"]["schemas"].items()}
    schema = {"$ref": reference, "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: _closed(part) for name, part in schema.items()}
    return {"additionalProperties": False, **parts} if isinstance(schema.get("properties"), dict) else parts
