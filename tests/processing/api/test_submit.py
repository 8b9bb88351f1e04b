"""POST /api/v1/process: what makes a job, and what is refused before anything is written."""

import io
import json
import re
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.exceptions import ParseError
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.keys import new_key
from accounts.models import Account, ApiKey
from astra.parsing import BoundedJSONParser
from processing.models import IdempotencyKey, Job, JobEvent
from tests.processing.jobs import EXAMPLE, SCENE, URL, take_messages

OTHER_SCENE = "sentinel-2:S2B_MSIL2A_20240715T184929"
LIMIT = 64 * 1024


def post(client: APIClient, body: Any) -> Response:
    return client.post(URL, body, format="json", headers={"Idempotency-Key": "one"})


def post_raw(client: APIClient, body: bytes, content_type: str = "application/json") -> Response:
    return client.generic("POST", URL, body, content_type=content_type, headers={"Idempotency-Key": "one"})


def assert_refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The envelope, once it is clear that nothing was written."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == code
    assert set(error) == {"code", "message", "details"}
    assert error["message"]
    assert not Job.objects.exists()
    assert not JobEvent.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert take_messages() == []
    return dict(error)


# --- What makes a job -----------------------------------------------------------------------------------------------


def test_the_documented_example_is_accepted(api: APIClient, account: Account) -> None:
    answer = api.post(URL, EXAMPLE, format="json")
    assert answer.status_code == 202
    body = dict(answer.json())
    job_id, created_at = body.pop("job_id"), body.pop("created_at")
    assert body == {
        "status": "queued",
        "operation": "ndvi",
        "scene_ids": [SCENE],
        "params": {"aoi": None, "cloud_mask": False, "colormap": "rdylgn", "precision": "full"},
        "webhook_url": None,
        "progress": 0,
        "started_at": None,
        "completed_at": None,
        "duration_ms": None,
        "result": None,
        "warnings": [],
        "error": None,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", created_at)
    assert answer["Location"] == f"/api/v1/process/{job_id}"
    assert int(answer["Retry-After"]) >= 1
    assert api.get(answer["Location"]).json() == answer.json()
    assert Job.objects.get().account == account


def test_job_ids_cannot_be_guessed(api: APIClient) -> None:
    ids = [api.post(URL, EXAMPLE, format="json").json()["job_id"] for _ in range(20)]
    assert all(re.fullmatch(r"job_[0-9A-Za-z]{20,}", job_id) for job_id in ids)
    for position in range(4, 24):
        assert len({job_id[position] for job_id in ids}) > 5, "every character varies"


@pytest.mark.parametrize("params", [{}, {"colormap": None}, "left out"])
def test_params_are_shown_with_their_defaults(api: APIClient, params: Any) -> None:
    body = {**EXAMPLE, "params": params}
    if params == "left out":
        del body["params"]
    defaults = {"aoi": None, "cloud_mask": False, "colormap": None, "precision": "full"}
    assert api.post(URL, body, format="json").json()["params"] == defaults


@pytest.mark.parametrize("precision", ["full", "compact"])
def test_a_precision_of_raw_values_is_kept(api: APIClient, precision: str) -> None:
    answer = api.post(URL, {**EXAMPLE, "params": {"precision": precision}}, format="json")
    assert answer.status_code == 202
    assert answer.json()["params"]["precision"] == precision
    assert Job.objects.get().params["precision"] == precision


def test_the_job_remembers_the_mode_of_its_key(api: APIClient, live_key: str) -> None:
    api.post(URL, EXAMPLE, format="json")
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {live_key}")
    api.post(URL, EXAMPLE, format="json")
    assert sorted(Job.objects.values_list("mode", flat=True)) == ["live", "test"]


@pytest.mark.parametrize("url", ["https://example.com/hook", "https://example.com:8443/a?b=c", None])
def test_a_public_webhook_url_is_kept(api: APIClient, url: str | None) -> None:
    answer = api.post(URL, {**EXAMPLE, "webhook_url": url}, format="json")
    assert answer.status_code == 202
    assert answer.json()["webhook_url"] == url


def test_row_event_and_message_come_together(
    api: APIClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        job_id = api.post(URL, EXAMPLE, format="json").json()["job_id"]
    job = Job.objects.get()
    assert job.pk == job_id
    assert [event.verb for event in job.events.all()] == ["submit"]
    assert take_messages() == [], "before the commit no worker may hear of the job"
    for callback in callbacks:
        callback()
    assert take_messages() == [("run_job", job_id)]


@pytest.mark.django_db(transaction=True)
def test_the_message_is_sent_by_the_commit(api: APIClient) -> None:
    job_id = api.post(URL, EXAMPLE, format="json").json()["job_id"]
    assert take_messages() == [("run_job", job_id)]


@pytest.mark.django_db(transaction=True)
def test_a_job_is_accepted_while_the_broker_is_away(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("kombu.messaging.Producer.publish", refuse)
    assert api.post(URL, EXAMPLE, format="json").status_code == 202
    assert list(Job.objects.due()) == list(Job.objects.all()), "the next sweep sends the message"


# --- Wrong fields ---------------------------------------------------------------------------------------------------

NDVI = {"operation": "ndvi"}
ONE = {"scene_ids": [SCENE]}
WRONG_FIELDS: dict[str, tuple[Any, set[str], str]] = {
    "nothing at all": ({}, {"operation", "scene_ids"}, "VALIDATION_ERROR"),
    "no operation": (ONE, {"operation"}, "VALIDATION_ERROR"),
    "unknown operation": ({**ONE, "operation": "ndwi"}, {"operation"}, "VALIDATION_ERROR"),
    "operation in capitals": ({**ONE, "operation": "NDVI"}, {"operation"}, "VALIDATION_ERROR"),
    "operation null": ({**ONE, "operation": None}, {"operation"}, "VALIDATION_ERROR"),
    "operation a number": ({**ONE, "operation": 7}, {"operation"}, "VALIDATION_ERROR"),
    "operation an array": ({**ONE, "operation": ["ndvi"]}, {"operation"}, "VALIDATION_ERROR"),
    "operation an object": ({**ONE, "operation": {"ndvi": 1}}, {"operation"}, "VALIDATION_ERROR"),
    "no scenes": (NDVI, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes null": ({**NDVI, "scene_ids": None}, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes a string": ({**NDVI, "scene_ids": SCENE}, {"scene_ids"}, "VALIDATION_ERROR"),
    "scenes an object": ({**NDVI, "scene_ids": {"0": SCENE}}, {"scene_ids"}, "VALIDATION_ERROR"),
    "no scene": ({**NDVI, "scene_ids": []}, {"scene_ids"}, "VALIDATION_ERROR"),
    "two scenes": ({**NDVI, "scene_ids": [SCENE, OTHER_SCENE]}, {"scene_ids"}, "VALIDATION_ERROR"),
    "a scene twice": ({**NDVI, "scene_ids": [SCENE] * 2}, {"scene_ids", "scene_ids[1]"}, "VALIDATION_ERROR"),
    "a thousand scenes": (
        {**NDVI, "scene_ids": [f"{SCENE}_N{number:04}" for number in range(1000)]},
        {"scene_ids"},
        "VALIDATION_ERROR",
    ),
    "scene a number": ({**NDVI, "scene_ids": [7]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "scene null": ({**NDVI, "scene_ids": [None]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "scene an array": ({**NDVI, "scene_ids": [[SCENE]]}, {"scene_ids[0]"}, "VALIDATION_ERROR"),
    "params an array": ({**EXAMPLE, "params": []}, {"params"}, "VALIDATION_ERROR"),
    "params a string": ({**EXAMPLE, "params": "rdylgn"}, {"params"}, "VALIDATION_ERROR"),
    "unknown param": ({**EXAMPLE, "params": {"color": "greens"}}, {"params.color"}, "VALIDATION_ERROR"),
    "unknown colormap": ({**EXAMPLE, "params": {"colormap": "jet"}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "colormap in capitals": ({**EXAMPLE, "params": {"colormap": "RdYlGn"}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "unknown precision": ({**EXAMPLE, "params": {"precision": "half"}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision a number": ({**EXAMPLE, "params": {"precision": 12}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision null": ({**EXAMPLE, "params": {"precision": None}}, {"params.precision"}, "VALIDATION_ERROR"),
    "precision of change": (
        {
            **EXAMPLE,
            "operation": "change_detection",
            "scene_ids": [SCENE, OTHER_SCENE],
            "params": {"precision": "full"},
        },
        {"params.precision"},
        "VALIDATION_ERROR",
    ),
    "compact with a colormap": (
        {**EXAMPLE, "params": {"colormap": "greens", "precision": "compact"}},
        {"params.precision"},
        "VALIDATION_ERROR",
    ),
    "colormap a number": ({**EXAMPLE, "params": {"colormap": 1}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "colormap an array": ({**EXAMPLE, "params": {"colormap": ["greens"]}}, {"params.colormap"}, "VALIDATION_ERROR"),
    "unknown field": ({**EXAMPLE, "priority": 9}, {"priority"}, "VALIDATION_ERROR"),
    "two unknown fields": (
        {**EXAMPLE, "job_id": "job_1", "status": "completed"},
        {"job_id", "status"},
        "VALIDATION_ERROR",
    ),
    "everything": (
        {
            "operation": "ndwi",
            "scene_ids": ["nonsense", 7],
            "params": 1,
            "webhook_url": "http://example.com/",
            "priority": 9,
        },
        {"operation", "scene_ids[0]", "scene_ids[1]", "params", "webhook_url", "priority"},
        "VALIDATION_ERROR",
    ),
    "all of a known operation": (
        {"operation": "ndvi", "scene_ids": [], "params": {"colormap": "jet", "b": 1}, "webhook_url": 7, "c": 1},
        {"scene_ids", "params.colormap", "params.b", "webhook_url", "c"},
        "VALIDATION_ERROR",
    ),
    "body an array": ([EXAMPLE], {""}, "VALIDATION_ERROR"),
    "body a string": ("ndvi", {""}, "VALIDATION_ERROR"),
    "body null": (None, {""}, "VALIDATION_ERROR"),
    "body a number": (7, {""}, "VALIDATION_ERROR"),
}


@pytest.mark.parametrize(("body", "parameters", "code"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_every_wrong_field_is_named_at_once(api: APIClient, body: Any, parameters: set[str], code: str) -> None:
    answer = post_raw(api, json.dumps(body).encode())
    error = assert_refused(answer, 400, code)
    faults = error["details"]["errors"]
    assert parameters <= {fault["parameter"] for fault in faults}
    if isinstance(body, dict):
        assert parameters == {fault["parameter"] for fault in faults}
    for fault in faults:
        assert {"parameter", "message", "received", "code"} <= set(fault)
        assert fault["message"] in error["message"]


@pytest.mark.parametrize(
    "scene_id",
    [
        "S2B_MSIL2A_20250115T184929",
        "sentinel-2",
        "sentinel-2:",
        ":S2B_MSIL2A_20250115T184929",
        "sentinel-2:nonsense",
        "sentinel-2:S2B_MSIL2A_20251315T184929",
        "sentinel-2:S2B_MSIL1C_20250115T184929",
        "sentinel-2:../../etc/passwd",
        "sentinel-2:" + "S" * 1000,
        "sentinel-2: S2B_MSIL2A_20250115T184929",
        "sentinel-2:S2B_MSIL2A_20250115T184929\n",
        "sentinel-9:S2B_MSIL2A_20250115T184929",
        "https://example.com/a.tif",
        "",
    ],
)
def test_a_malformed_scene_id_has_a_code_of_its_own(api: APIClient, scene_id: str) -> None:
    error = assert_refused(post(api, {**EXAMPLE, "scene_ids": [scene_id]}), 400, "INVALID_ID_FORMAT")
    (fault,) = error["details"]["errors"]
    assert (fault["parameter"], fault["code"]) == ("scene_ids[0]", "INVALID_ID_FORMAT")
    assert fault["received"] == scene_id[:200]


@pytest.mark.parametrize(
    "url",
    [
        7,
        True,
        ["https://example.com/"],
        "",
        "nonsense",
        "example.com/hook",
        "https://",
        "https:///hook",
        "https://[::1",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://user:password@example.com/",
        "http://example.com/hook",
        "ftp://example.com/hook",
        "file:///etc/passwd",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://" + "1" * 64 + "/",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_a_webhook_url_that_could_never_be_called_is_refused(api: APIClient, url: Any) -> None:
    error = assert_refused(post(api, {**EXAMPLE, "webhook_url": url}), 400, "VALIDATION_ERROR")
    assert [fault["parameter"] for fault in error["details"]["errors"]] == ["webhook_url"]


# --- Bodies that are not JSON, or not storable ----------------------------------------------------------------------

BROKEN = {
    "nothing": b"",
    "cut off": b'{"operation": "ndvi"',
    "two documents": b"{}{}",
    "not UTF-8": b'{"operation": "\xff\xfe"}',
    "single quotes": b"{'operation': 'ndvi'}",
    "a field twice": b'{"operation": "ndvi", "operation": "ndvi"}',
    "a param twice": b'{"params": {"colormap": "greens", "colormap": "viridis"}}',
    "NaN": b'{"params": {"colormap": NaN}}',
    "Infinity": b'{"params": {"colormap": Infinity}}',
    "-Infinity": b'{"params": {"colormap": -Infinity}}',
    "1e999": b'{"params": {"colormap": 1e999}}',
    "-1e999": b'{"params": {"colormap": -1e999}}',
    "5000 digits": b'{"params": {"colormap": ' + b"9" * 5000 + b"}}",
    "NUL": b'{"webhook_url": "https://example.com/\\u0000"}',
    "NUL in a name": b'{"a\\u0000": 1}',
    "half a surrogate pair": b'{"webhook_url": "https://example.com/\\ud800"}',
    "half a surrogate pair in a name": b'{"a\\udfff": 1}',
    "half a surrogate pair deep inside": b'{"params": {"a": [[{"b": "\\ud83d"}]]}}',
    "nesting 34 deep": b"[" * 34 + b"]" * 34,
    "nesting 30000 deep": b"[" * 30_000 + b"]" * 30_000,
    "nesting 60000 deep, never closed": b"[" * 60_000,
    "nesting 10000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_not_json_or_not_storable_is_refused(api: APIClient, body: bytes) -> None:
    assert_refused(post_raw(api, body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_the_parser_itself_refuses_it(body: bytes) -> None:
    with pytest.raises(ParseError):
        BoundedJSONParser().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    "body", [b'{"a": "\\ud83c\\udf33 \xc3\xa9"}', b"[" * 32 + b"]" * 32, b"1.5e3", b'{"a": {"b": 1}, "b": {"a": 1}}']
)
def test_the_parser_takes_all_other_json(body: bytes) -> None:
    assert BoundedJSONParser().parse(io.BytesIO(body)) == json.loads(body)


def test_a_body_of_64_kib_is_taken_and_a_larger_one_is_not(api: APIClient) -> None:
    body = json.dumps(EXAMPLE).encode()
    assert_refused(post_raw(api, body.ljust(LIMIT + 1)), 413, "PAYLOAD_TOO_LARGE")
    assert_refused(post_raw(api, b"[" * 100_000 + b"]" * 100_000), 413, "PAYLOAD_TOO_LARGE")
    assert post_raw(api, body.ljust(LIMIT)).status_code == 202


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"],
)
def test_only_json_is_taken(api: APIClient, content_type: str) -> None:
    answer = post_raw(api, json.dumps(EXAMPLE).encode(), content_type)
    assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_announced_in_other_words(api: APIClient, content_type: str) -> None:
    assert post_raw(api, json.dumps(EXAMPLE).encode(), content_type).status_code == 202


# --- Wrong requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_method_that_there_is_not_is_refused(api: APIClient, method: str) -> None:
    answer = getattr(api, method)(URL, EXAMPLE, format="json")
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(re.split(", *", answer["Allow"]))


@pytest.mark.parametrize("path", ["/api/v1/process/", "/api/v1/proces", "/api/v2/process", "/api/v1/process/a/b"])
def test_there_is_nothing_at_other_addresses(api: APIClient, path: str) -> None:
    assert_refused(api.post(path, EXAMPLE, format="json"), 404, "NOT_FOUND")


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic YTpi", "unknown", "revoked", "without a scheme"])
def test_no_job_without_a_working_key(client: APIClient, key: ApiKey, test_key: str, header: str | None) -> None:
    if header == "revoked":
        key.revoke()
    values = {
        "unknown": f"Bearer {new_key('test')}",
        "revoked": f"Bearer {test_key}",
        "without a scheme": test_key,
    }
    headers = {} if header is None else {"authorization": values.get(header, header)}
    answer = client.post(URL, json.dumps(EXAMPLE), content_type="application/json", headers=headers)
    assert_refused(answer, 401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["key", "api_key", "apikey", "token", "access_token", "authorization"])
def test_a_key_in_the_query_string_is_ignored(client: APIClient, test_key: str, name: str) -> None:
    address = f"{URL}?{name}=Bearer {test_key}&{name}={test_key}"
    answer = client.post(address, json.dumps(EXAMPLE), content_type="application/json")
    assert_refused(answer, 401, "UNAUTHORIZED")
