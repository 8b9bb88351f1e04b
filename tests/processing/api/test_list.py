"""GET /api/v1/process: an account's jobs, page by page."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.jobs import URL, another_key, claimed, completed, failed, queued

BEGIN = datetime(2025, 1, 15, 19, 0, 0, tzinfo=UTC)


def made(key: ApiKey, count: int, minutes_apart: float = 1) -> list[str]:
    """Ids of `count` new jobs, newest first."""
    ids = []
    for number in range(count):
        job = queued(key)
        Job.objects.filter(pk=job.pk).update(created_at=BEGIN + timedelta(minutes=number * minutes_apart))
        ids.append(job.pk)
    return ids[::-1]


def ids_of(body: dict[str, Any]) -> list[str]:
    return [job["job_id"] for job in body["jobs"]]


def listed(api: APIClient, **parameters: Any) -> list[str]:
    answer = api.get(URL, parameters)
    assert answer.status_code == 200, answer.content
    return ids_of(answer.json())


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


def test_account_without_jobs_has_an_empty_list(api: APIClient) -> None:
    answer = api.get(URL)
    assert answer.status_code == 200
    assert answer.json() == {"jobs": [], "next": None}


def test_jobs_are_listed_newest_first_with_the_body_of_a_poll(api: APIClient, key: ApiKey) -> None:
    jobs = [completed(key), failed(key), claimed(key), queued(key)]
    polled = [api.get(f"{URL}/{job.pk}").json() for job in reversed(jobs)]
    polled[0].update(queue_position=None, eta_seconds=None)  # only a poll works them out
    assert api.get(URL).json() == {"jobs": polled, "next": None}


def test_only_the_accounts_own_jobs_are_listed(api: APIClient, key: ApiKey) -> None:
    theirs, _ = another_key()
    made(theirs, 3)
    ours = made(key, 2)
    assert listed(api) == ours
    assert listed(api, cursor=cursor(f"{BEGIN + timedelta(days=1):%Y-%m-%dT%H:%M:%S+00:00}|job_z")) == ours


@pytest.mark.parametrize(("asked", "given"), [({}, 20), ({"limit": 1}, 1), ({"limit": 24}, 24), ({"limit": 100}, 25)])
def test_page_has_20_jobs_or_the_limit(api: APIClient, key: ApiKey, asked: dict[str, int], given: int) -> None:
    ids = made(key, 25)
    body = api.get(URL, asked).json()
    assert ids_of(body) == ids[:given]
    assert (body["next"] is None) == (given == 25)


def test_last_full_page_has_no_next(api: APIClient, key: ApiKey) -> None:
    made(key, 4)
    second = api.get(api.get(URL, {"limit": 2}).json()["next"]).json()
    assert len(second["jobs"]) == 2
    assert second["next"] is None


@pytest.mark.parametrize("minutes_apart", [1, 0], ids=["one by one", "all at the same moment"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_visit_every_job_once_while_new_ones_arrive(
    api: APIClient, key: ApiKey, limit: int, minutes_apart: float
) -> None:
    present = made(key, 7, minutes_apart)
    address: str | None = f"{URL}?limit={limit}"
    visited: list[str] = []
    while address:
        body = api.get(address).json()
        visited += ids_of(body)
        address = body["next"]
        queued(key)
    assert len(visited) == len(present)
    assert set(visited) == set(present)


def test_next_link_keeps_limit_and_filters(api: APIClient, key: ApiKey, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://astra.example"
    wanted = [failed(key).pk for _ in range(3)][::-1]
    made(key, 3)
    first = api.get(URL, {"status": "failed", "limit": "2", "created_after": "2025-01-01T00:00:00+01:00"}).json()
    assert first["next"].startswith(f"https://astra.example{URL}?")
    second = api.get(first["next"]).json()
    assert ids_of(first) + ids_of(second) == wanted
    assert second["next"] is None


def test_filters_select_jobs(api: APIClient, key: ApiKey) -> None:
    oldest, second, third = made(key, 3)[::-1]
    done = completed(key).pk
    assert listed(api, status="completed") == [done]
    assert listed(api, status="queued") == [third, second, oldest]
    assert listed(api, status="processing") == []
    assert len(listed(api, operation="ndvi")) == 4
    assert listed(api, created_after="2025-01-15T19:00:00Z", created_before="2025-01-15T19:02:00Z") == [second]
    assert listed(api, created_before="2025-01-15T20:01:00+01:00") == [oldest]
    assert listed(api, status="queued", created_after="2025-01-15T19:01:30Z") == [third]


def test_all_wrong_parameters_are_named_at_once(api: APIClient) -> None:
    wrong = {
        "limit": "0",
        "cursor": "nonsense",
        "status": "done",
        "operation": "ndwi",
        "created_after": "yesterday",
        "created_before": "2025-01-15T19:00:00",
        "colour": "red",
    }
    answer = api.get(URL, wrong)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    faults = {fault["parameter"]: fault["received"] for fault in error["details"]["errors"]}
    assert faults == wrong
    assert all(name in error["message"] for name in wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("", "0", "101", "-1", "+5", "1.5", "ten", "²", "٣", "9" * 5000)),
        *(("limit", value) for value in ("007", "0000000050", "1" + "0" * 29, "0" * 30 + "50", " 5", "5_0")),
        *(("status", value) for value in ("", "QUEUED", "canceled")),
        *(("operation", value) for value in ("", "NDVI")),
        ("created_after", ""),
        ("created_after", "2025-13-01T00:00:00Z"),
        ("created_after", "2025-01-15"),
        ("created_after", "0001-01-01T00:00:00+23:59"),
        ("created_before", "9999-12-31T23:59:59-23:59"),
        ("created_before", "1736967600"),
        ("cursor", ""),
        ("cursor", "é"),
        ("cursor", "====="),
        ("cursor", cursor("|")),
        ("cursor", cursor("yesterday|job_1")),
        ("cursor", cursor("2025-01-15T19:00:00|job_1")),
        ("cursor", cursor("0001-01-01T00:00:00+23:59|job_1")),
        ("cursor", cursor("9999-12-31T23:59:59-23:59|job_1")),
        ("cursor", cursor("2025-01-15T19:00:00+00:00|job_\0")),
        ("cursor", urlsafe_b64encode(b"\xff\xfe").decode()),
    ],
)
def test_wrong_parameter_is_refused(api: APIClient, name: str, value: str) -> None:
    answer = api.get(f"{URL}?{urlencode({name: value})}")
    assert answer.status_code == 400, answer.content
    (fault,) = answer.json()["error"]["details"]["errors"]
    assert fault["parameter"] == name
    assert fault["received"] == value[:200]
