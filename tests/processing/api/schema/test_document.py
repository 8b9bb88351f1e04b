"""`GET /api/v1/openapi.json`: who gets it, that it is valid, and that it leaves nothing out."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from openapi_spec_validator import validate
from rest_framework.test import APIClient

from astra.exceptions import Problem
from processing.raster.operations import all_operations
from tests.answers import client_with
from tests.described import path_of_route, the_document, validator

URL = "/api/v1/openapi.json"
OPERATIONS = {
    "submit_job",
    "get_job",
    "list_jobs",
    "cancel_job",
    "get_result_item",
    "delete_result",
    "download_result",
    "get_scene",
    "list_operations",
    "get_account",
    "send_test_webhook",
}


@pytest.fixture
def served(client: Client) -> dict[str, Any]:
    return dict(client.get(URL).json())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in the_document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def ids(*_: Any) -> list[str]:
    return [operation["operationId"] for _, _, operation in operations()]


# --- Served ----------------------------------------------------------------------------------------------------------


def test_document_is_valid_openapi_and_names_this_server(served: dict[str, Any]) -> None:
    validate(served)
    assert served["openapi"].startswith("3.1.")
    assert served["servers"] == [{"url": "http://testserver"}]


def test_document_is_that_of_the_host_asked(client: Client) -> None:
    assert client.get(URL, headers={"Host": "127.0.0.1:8000"}).json()["servers"] == [{"url": "http://127.0.0.1:8000"}]


def test_document_may_be_kept_and_asked_for_again(client: Client) -> None:
    first = client.get(URL)
    assert "public" in first["Cache-Control"]
    again = client.get(URL, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert client.get(URL, headers={"If-None-Match": '"another"'}).status_code == 200


def test_wrong_key_is_refused_as_everywhere(db: None) -> None:
    assert client_with("astra_sk_test_wrong").get(URL).status_code == 401


# --- Complete --------------------------------------------------------------------------------------------------------


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from routes(pattern.url_patterns, route)


def test_every_url_is_described_with_all_its_methods() -> None:
    prefixes = ("api/", "files/", "healthz", "readyz", "metrics")
    ours = {route: callback for route, callback in routes(get_resolver().url_patterns) if route.startswith(prefixes)}
    methods = {path_of_route(route): set(each.view_class().allowed_methods) for route, each in ours.items()}
    described = {path: {method.upper() for method in each} for path, each in the_document()["paths"].items()}
    assert len(methods) > 10
    left_out = {"HEAD", "OPTIONS"}
    assert {path: each - left_out for path, each in described.items()} == {
        path: each - left_out for path, each in methods.items()
    }
    assert "HEAD" in described["/files/{key}"]


def test_operation_ids_are_unique_names() -> None:
    assert len(set(ids())) == len(ids())
    assert set(ids()) >= OPERATIONS


def test_every_code_of_the_table_is_described_somewhere() -> None:
    unused = {Problem.METHOD_NOT_ALLOWED, Problem.STORAGE_UNAVAILABLE}
    assert {problem.code for problem in Problem if problem not in unused} == {
        example["value"]["error"]["code"]
        for _, _, operation in operations()
        for status, answer in operation["responses"].items()
        if int(status) >= 400 and "content" in answer
        for example in answer["content"]["application/json"]["examples"].values()
    }


def test_a_key_is_asked_for_where_the_service_asks_for_one(api: APIClient) -> None:
    open_to_all = {operation["operationId"] for _, _, operation in operations() if not operation.get("security")}
    assert open_to_all == {
        *("get_openapi", "download_result", "check_result"),
        *("get_health", "get_readiness", "get_metrics"),
    }
    scheme = the_document()["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_documented_headers_of_requests_are_parameters() -> None:
    headers = {
        operation["operationId"]: {each["name"] for each in operation["parameters"] if each["in"] == "header"}
        for _, _, operation in operations()
    }
    assert {"Idempotency-Key", "Prefer", "X-Request-Id"} <= headers["submit_job"]
    assert "If-None-Match" in headers["get_job"]
    assert {"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since"} <= headers["download_result"]


def test_every_header_of_an_answer_has_a_schema() -> None:
    headers = the_document()["components"]["headers"]
    assert {"ETag", "Location-at-times", "X-RateLimit-Limit", "Preference-Applied-at-times"} <= set(headers)
    assert [name for name, header in headers.items() if "schema" not in header] == []


def test_params_are_those_that_the_service_checks_with(api: APIClient, served: dict[str, Any]) -> None:
    schemas = served["components"]["schemas"]
    mapping = schemas["Submit"]["discriminator"]["mapping"]
    assert set(mapping) == set(all_operations())
    for operation in api.get("/api/v1/operations").json()["operations"]:
        submit = schemas[mapping[operation["name"]].rpartition("/")[2]]
        params = schemas[submit["properties"]["params"]["anyOf"][0]["$ref"].rpartition("/")[2]]
        checked = {
            name: {key: value for key, value in field.items() if key != "title"}
            for name, field in operation["params"]["properties"].items()
        }
        assert params["properties"] == checked
        assert params["additionalProperties"] is False
        assert submit["properties"]["scene_ids"]["minItems"] == operation["scenes"]


# --- Examples --------------------------------------------------------------------------------------------------------


def examples() -> Iterator[tuple[str, str, Any]]:
    """Name, reference of the schema, and value of every example of a body."""
    hooks = [(hook["post"]["operationId"], hook["post"]) for hook in the_document()["webhooks"].values()]
    for name, operation in [*((each["operationId"], each) for _, _, each in operations()), *hooks]:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            for title, example in media.get("examples", {}).items():
                yield f"{name} {title}", media["schema"]["$ref"], example["value"]


def test_every_example_fits_its_schema() -> None:
    found = list(examples())
    assert len(found) > 50
    assert [name for name, reference, value in found if not validator(reference).is_valid(value)] == []


def test_documented_submits_are_accepted(api: APIClient) -> None:
    submits = [value for name, _, value in examples() if name.startswith("submit_job") and "scene_ids" in value]
    asked = [value for value in submits if "job_id" not in value]
    assert [value["operation"] for value in asked] == ["ndvi", "change_detection"]
    assert [api.post("/api/v1/process", value, format="json").status_code for value in asked] == [202, 202]
