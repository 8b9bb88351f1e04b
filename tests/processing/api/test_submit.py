"""POST /api/v1/process: what makes a job, and requests without a key, an address or a method."""

import json
import re
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from accounts.keys import new_key
from accounts.models import Account, ApiKey
from processing.models import Job
from tests.processing.jobs import EXAMPLE, SCENE, URL, take_messages
from tests.processing.submits import assert_refused

# --- What makes a job ------------------------------------------------------------------------------------------------


def test_documented_example_is_accepted(api: APIClient, account: Account) -> None:
    answer = api.post(URL, EXAMPLE, format="json")
    assert answer.status_code == 202
    body = dict(answer.json())
    job_id, created_at = body.pop("job_id"), body.pop("created_at")
    assert body == {
        "status": "queued",
        "operation": "ndvi",
        "scene_ids": [SCENE],
        "params": {"aoi": None, "cloud_mask": False, "mask_dilation": 60.0, "colormap": "rdylgn", "precision": "full"},
        "webhook_url": None,
        "webhook": None,
        "progress": 0,
        "attempt": 0,
        "queue_position": None,
        "eta_seconds": None,
        "retry": None,
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
    polled = api.get(answer["Location"]).json()
    assert polled.pop("queue_position") == 1
    assert polled.pop("eta_seconds") > 0
    assert polled.items() <= answer.json().items()
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
    defaults = {"aoi": None, "cloud_mask": False, "mask_dilation": 60.0, "colormap": None, "precision": "full"}
    assert api.post(URL, body, format="json").json()["params"] == defaults


@pytest.mark.parametrize("precision", ["full", "compact"])
def test_precision_of_raw_values_is_kept(api: APIClient, precision: str) -> None:
    answer = api.post(URL, {**EXAMPLE, "params": {"precision": precision}}, format="json")
    assert answer.status_code == 202
    assert answer.json()["params"]["precision"] == precision
    assert Job.objects.get().params["precision"] == precision


def test_job_remembers_the_mode_of_its_key(api: APIClient, live_key: str) -> None:
    api.post(URL, EXAMPLE, format="json")
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {live_key}")
    api.post(URL, EXAMPLE, format="json")
    assert sorted(Job.objects.values_list("mode", flat=True)) == ["live", "test"]


@pytest.mark.parametrize("url", ["https://example.com/hook", "https://example.com:8443/a?b=c", None])
def test_public_webhook_url_is_kept(api: APIClient, url: str | None) -> None:
    answer = api.post(URL, {**EXAMPLE, "webhook_url": url}, format="json")
    assert answer.status_code == 202
    assert answer.json()["webhook_url"] == url


def test_row_and_message_come_together(
    api: APIClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        job_id = api.post(URL, EXAMPLE, format="json").json()["job_id"]
    job = Job.objects.get()
    assert job.pk == job_id
    assert take_messages() == [], "before the commit no worker may hear of the job"
    for callback in callbacks:
        callback()
    assert take_messages() == ["work"]


@pytest.mark.django_db(transaction=True)
def test_message_is_sent_after_the_commit(api: APIClient) -> None:
    assert api.post(URL, EXAMPLE, format="json").status_code == 202
    assert take_messages() == ["work"]


@pytest.mark.django_db(transaction=True)
def test_job_is_accepted_while_the_broker_is_down(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("kombu.messaging.Producer.publish", refuse)
    assert api.post(URL, EXAMPLE, format="json").status_code == 202
    assert list(Job.objects.due()) == list(Job.objects.all()), "the next sweep sends the message"


# --- Wrong requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_unknown_method_answers_405(api: APIClient, method: str) -> None:
    answer = getattr(api, method)(URL, EXAMPLE, format="json")
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(re.split(", *", answer["Allow"]))


@pytest.mark.parametrize("path", ["/api/v1/process/", "/api/v1/proces", "/api/v2/process", "/api/v1/process/a/b"])
def test_unknown_address_answers_404(api: APIClient, path: str) -> None:
    assert_refused(api.post(path, EXAMPLE, format="json"), 404, "NOT_FOUND")


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic YTpi", "unknown", "revoked", "without a scheme"])
def test_request_without_a_working_key_answers_401(
    client: APIClient, key: ApiKey, test_key: str, header: str | None
) -> None:
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
def test_key_in_the_query_string_is_ignored(client: APIClient, test_key: str, name: str) -> None:
    for value in (f"Bearer {test_key}", test_key):
        answer = client.post(f"{URL}?{name}={value}", json.dumps(EXAMPLE), content_type="application/json")
        assert_refused(answer, 401, "UNAUTHORIZED")


@pytest.mark.parametrize("name", ["TEST_OK", "TEST_SLOW", "TEST_PROVIDER_DOWN", "TEST_NO_OVERLAP"])
def test_ids_that_force_an_outcome_are_for_test_keys_only(api: APIClient, live_key: str, name: str) -> None:
    body = {"operation": "ndvi", "scene_ids": [f"sentinel-2:{name}"]}
    assert api.post(URL, body, format="json").status_code == 202
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {live_key}")
    refused = api.post(URL, body, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_ID_FORMAT")
