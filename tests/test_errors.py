"""Every error has one form, and the cause of an internal error is logged, not shown."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, OperationalError, connection
from django.http import Http404
from django.test import Client
from pytest_django import Settings
from rest_framework import exceptions as drf
from rest_framework.test import APIClient

from accounts.models import Account
from astra.exceptions import ApiError, Fault, InvalidRequest, Problem, error_response
from tests.answers import assert_error
from tests.processing.jobs import EXAMPLE, URL, completed

TABLE: list[tuple[Exception, int, str]] = [
    (drf.ParseError("not JSON"), 400, "VALIDATION_ERROR"),
    (drf.ValidationError({"limit": ["wrong"]}), 400, "VALIDATION_ERROR"),
    (SuspiciousOperation("wrong"), 400, "VALIDATION_ERROR"),
    (BadRequest("wrong"), 400, "VALIDATION_ERROR"),
    (drf.NotAuthenticated(), 401, "UNAUTHORIZED"),
    (drf.AuthenticationFailed(), 401, "UNAUTHORIZED"),
    (drf.PermissionDenied(), 403, "FORBIDDEN"),
    (PermissionDenied(), 403, "FORBIDDEN"),
    (Http404("no such job"), 404, "NOT_FOUND"),
    (drf.NotFound(), 404, "NOT_FOUND"),
    (ApiError(Problem.SCENE_NOT_FOUND, "no such scene"), 404, "SCENE_NOT_FOUND"),
    (drf.MethodNotAllowed("PUT"), 405, "METHOD_NOT_ALLOWED"),
    (ApiError(Problem.CONFLICT, "finished"), 409, "CONFLICT"),
    (ApiError(Problem.AMBIGUOUS_SCENE_ID, "several scenes"), 409, "AMBIGUOUS_SCENE_ID"),
    (ApiError(Problem.EXPIRED), 410, "EXPIRED"),
    (ApiError(Problem.PAYLOAD_TOO_LARGE), 413, "PAYLOAD_TOO_LARGE"),
    (RequestDataTooBig("too big"), 413, "PAYLOAD_TOO_LARGE"),
    (drf.UnsupportedMediaType("text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    (ApiError(Problem.RANGE_NOT_SATISFIABLE, "behind the end"), 416, "VALIDATION_ERROR"),
    (ApiError(Problem.IDEMPOTENCY_MISMATCH), 422, "IDEMPOTENCY_MISMATCH"),
    (drf.Throttled(wait=7), 429, "RATE_LIMITED"),
    (OperationalError("connection refused"), 503, "SERVICE_UNAVAILABLE"),
    (ApiError(Problem.PROVIDER_UNAVAILABLE, "the catalogue is down"), 503, "PROVIDER_UNAVAILABLE"),
    (IntegrityError("unique"), 500, "INTERNAL_ERROR"),
    (RuntimeError("oops"), 500, "INTERNAL_ERROR"),
    (RecursionError(), 500, "INTERNAL_ERROR"),
    (MemoryError(), 500, "INTERNAL_ERROR"),
]
LIMIT = Fault(parameter="limit", message="This must be a whole number.", received="x")
SCENE = Fault(parameter="scene_ids[0]", message="This is no scene id.", received="y" * 300, code="INVALID_ID_FORMAT")
BODY = Fault(parameter="", message="The body must be a JSON object.", received=[1, "two"])


@pytest.fixture
def broken_storage(settings: Settings, tmp_path: Path) -> None:
    """A storage that fails with RuntimeError when a file is opened."""
    options = {"location": tmp_path, "base_url": "/files/"}
    default = {"BACKEND": "tests.processing.storages.Broken", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}


# --- The table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status", "code"), TABLE, ids=[f"{type(row[0]).__name__}" for row in TABLE])
def test_every_exception_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    response = error_response(error, {})
    assert response.status_code == status
    body = response.data["error"]
    assert body["code"] == code
    assert isinstance(body["message"], str)
    assert len(body["message"]) > 3
    assert isinstance(body["details"], dict)
    assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert ("Retry-After" in response.headers) == (status in (429, 503))


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([LIMIT], "VALIDATION_ERROR"),
        ([SCENE, replace(SCENE, parameter="scene_ids[1]")], "INVALID_ID_FORMAT"),
        ([LIMIT, SCENE], "VALIDATION_ERROR"),
    ],
    ids=["one", "all scene ids", "mixed"],
)
def test_request_has_the_code_of_its_faults_if_they_agree(faults: list[Fault], code: str) -> None:
    response = error_response(InvalidRequest(faults), {})
    assert response.status_code == 400
    assert response.data["error"]["code"] == code


def test_faults_are_listed_one_by_one_with_a_sentence_each() -> None:
    assert error_response(InvalidRequest([LIMIT, SCENE, BODY, LIMIT]), {}).data["error"] == {
        "code": "VALIDATION_ERROR",
        "message": "limit: This must be a whole number. scene_ids[0]: This is no scene id. "
        "The body must be a JSON object.",
        "details": {
            "errors": [
                limit := {
                    "parameter": "limit",
                    "message": "This must be a whole number.",
                    "received": "x",
                    "code": "VALIDATION_ERROR",
                },
                {
                    "parameter": "scene_ids[0]",
                    "message": "This is no scene id.",
                    "received": "y" * 200,
                    "code": "INVALID_ID_FORMAT",
                },
                {
                    "parameter": "",
                    "message": "The body must be a JSON object.",
                    "received": '[1, "two"]',
                    "code": "VALIDATION_ERROR",
                },
                limit,
            ]
        },
    }


@pytest.mark.parametrize("received", [None, True, 7, 0.5])
def test_plain_values_are_repeated_as_json(received: object) -> None:
    response = error_response(InvalidRequest([replace(LIMIT, received=received)]), {})
    assert response.data["error"]["details"]["errors"][0]["received"] is received


def test_error_without_a_sentence_of_its_own_has_that_of_the_table() -> None:
    said = {error_response(error, {}).data["error"]["message"] for error in (ApiError(Problem.EXPIRED), Http404("x"))}
    assert said == {Problem.EXPIRED.message, Problem.NOT_FOUND.message}


@pytest.mark.parametrize("error", [RuntimeError("secret in /srv/app.py"), OperationalError("password of db.internal")])
def test_cause_of_an_internal_error_is_logged_and_not_shown(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    response = error_response(error, {"request": "GET /api/v1/process"})
    assert str(error) not in str(response.data)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is error


# --- Over HTTP -------------------------------------------------------------------------------------------------------


def test_unexpected_exception_is_an_internal_error(
    api: APIClient, account: Account, client: Any, broken_storage: None
) -> None:
    job = completed(account.api_keys.get())
    href = api.get(f"{URL}/{job.pk}").json()["result"]["href"]
    client.raise_request_exception = False
    answer = client.get(href)
    assert_error(answer, 500, "INTERNAL_ERROR")
    assert b"fire" not in answer.content
    assert b"/srv" not in answer.content


@pytest.mark.parametrize(
    ("method", "address"),
    [("get", URL), ("post", URL), ("get", f"{URL}/job_1"), ("get", "/readyz"), ("get", "/metrics")],
)
def test_database_that_is_down_answers_503_with_retry_after(api: APIClient, method: str, address: str) -> None:
    def refuse(execute: Callable[..., Any], *arguments: Any) -> Any:
        raise OperationalError("connection to db.internal refused")

    with connection.execute_wrapper(refuse):
        answer = getattr(api, method)(address, EXAMPLE if method == "post" else None, format="json")
    assert_error(answer, 503, "SERVICE_UNAVAILABLE")
    assert int(answer["Retry-After"]) >= 1
    assert b"db.internal" not in answer.content


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/api", 404),
        ("get", "/api/", 404),
        ("get", "/api/v1", 404),
        ("get", "/api/v1/process/", 404),
        ("get", "/api/v1/process/job_1/", 404),
        ("get", "/api/v1/process/job_1", 404),
        ("get", "/api/v1/process/%00", 404),
        ("get", "/api/v1/%ff%fe", 404),
        ("options", "/api/v1/nothing", 404),
        ("delete", "/api/v1/nothing", 404),
        ("put", "/api/v1/process", 405),
        ("post", "/api/v1/process/job_1", 405),
        ("patch", "/api/v1/process/job_1", 405),
        ("post", "/api/v1/operations", 405),
        ("trace", "/api/v1/process", 405),
        ("post", "/api/v1/process", 400),
        ("get", "/api/v1/process?limit=0", 400),
        ("get", "/files/nothing", 403),
        ("get", "/nothing", 404),
    ],
)
def test_every_error_is_json_in_the_envelope(api: APIClient, method: str, address: str, status: int) -> None:
    for accept in ("application/json", "text/html", "image/png", "nonsense"):
        answer = api.generic(method.upper(), address, "{}", content_type="application/json", headers={"accept": accept})
        assert_error(answer, status)


@pytest.mark.parametrize("address", [URL, f"{URL}/job_1", "/api/v1/operations"])
def test_every_address_of_the_api_needs_a_key(client: Client, db: None, address: str) -> None:
    answer = client.get(address)
    assert_error(answer, 401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_unknown_host_answers_400_in_the_envelope(api: APIClient) -> None:
    answer = api.get(URL, headers={"host": "evil.example"})
    assert_error(answer, 400)


def test_health_asks_for_no_key_and_no_database(client: Client) -> None:
    """Without a `db` fixture every query fails the test."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_internal_error_names_the_request_and_no_other_error_does(
    api: APIClient, account: Account, client: Any, broken_storage: None
) -> None:
    href = api.get(f"{URL}/{completed(account.api_keys.get()).pk}").json()["result"]["href"]
    client.raise_request_exception = False
    details = assert_error(client.get(href, headers={"X-Request-Id": "night-7"}), 500)["details"]
    assert details == {"request_id": "night-7"}
    assert assert_error(client.get("/nothing"), 404)["details"] == {}
