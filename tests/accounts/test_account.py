"""GET /api/v1/account and the usage that it shows: counted in the broker or here, and kept in rows."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import usage
from accounts.models import Account, ApiKey, KeyUsage
from accounts.tasks import write_usage
from astra.broker import broker
from tests.answers import client_with
from tests.processing.jobs import EXAMPLE, URL

ACCOUNT = "/api/v1/account"
COUNTS = ("requests", "errors", "jobs", "megapixels")


@pytest.fixture(params=["memory", "broker"])
def counted(request: pytest.FixtureRequest) -> None:
    """Usage is counted in this process, or in the broker."""
    if request.param == "broker":
        redis.Redis.from_url(request.getfixturevalue("on_valkey")).flushdb()


def today_of(api: APIClient) -> dict[str, Any]:
    return dict(api.get(ACCOUNT).json()["usage"]["today"])


def test_account_says_what_the_caller_may_do(api: APIClient, account: Account) -> None:
    answer = api.get(ACCOUNT)
    body = answer.json()
    assert list(body) == ["account", "plan", "mode", "limits", "remaining", "usage", "keys"]
    assert (body["account"], body["plan"], body["mode"]) == (account.name, "scale", "test")
    names = ("requests_per_minute", "requests_per_day", "burst", "concurrent_jobs", "queued_jobs", "pixels_per_job")
    assert body["limits"] == {name: getattr(account.limits, name) for name in names}
    assert body["remaining"]["burst"] == int(answer["X-RateLimit-Remaining"])
    assert body["remaining"]["requests_per_day"] == account.limits.requests_per_day - 1


def test_keys_are_shown_without_their_secret(api: APIClient, account: Account, test_key: str) -> None:
    revoked, _ = ApiKey.objects.issue(account, "test", "lost")
    revoked.revoke()
    ApiKey.objects.issue(account, "test", "night jobs")
    ApiKey.objects.issue(account, "live", "of the other mode")
    answer = api.get(ACCOUNT)
    keys = answer.json()["keys"]
    assert [key["label"] for key in keys] == ["night jobs", ""]
    assert keys[1]["last_four"] == test_key[-4:]
    for name in ("created_at", "last_used_at"):
        assert datetime.strptime(keys[1][name], "%Y-%m-%dT%H:%M:%S%z")
    assert test_key[14:44] not in answer.content.decode()
    assert not {"digest", "text", "key"} & keys[0].keys()


@pytest.mark.usefixtures("counted")
def test_requests_errors_and_jobs_are_counted_by_key(api: APIClient, account: Account) -> None:
    other, text = ApiKey.objects.issue(account, "test", "second")
    api.post(URL, EXAMPLE, format="json")
    api.get(f"{URL}/nothing")
    client_with(text).get(URL)
    today = today_of(api)
    assert {name: today[name] for name in COUNTS} == {"requests": 4, "errors": 1, "jobs": 1, "megapixels": 0}
    by_key = {each["last_four"]: each["requests"] for each in today["by_key"]}
    assert by_key[other.last_four] == 1
    assert sum(by_key.values()) == 4


@pytest.mark.usefixtures("counted")
def test_other_mode_counts_apart(api: APIClient, live_key: str) -> None:
    live = client_with(live_key)
    live.get(URL)
    assert (today_of(api)["requests"], today_of(live)["requests"]) == (1, 2)


def test_refused_requests_are_counted_as_errors(api: APIClient, settings: Settings, account: Account) -> None:
    account.plan, account.own_limits = Account.Plan.ENTERPRISE, {"requests_per_minute": 1, "burst": 2}
    account.save()
    for _ in range(4):
        api.get(URL)
    usage.write_rows()
    row = KeyUsage.objects.get()
    assert (row.requests, row.errors) == (4, 2)


@pytest.mark.usefixtures("counted")
def test_control_process_writes_rows_without_a_reader(api: APIClient, account: Account) -> None:
    for _ in range(3):
        api.get(URL)
    write_usage.apply()
    write_usage.apply()
    assert KeyUsage.objects.get().requests == 3


def test_days_before_are_shown_one_by_one(api: APIClient, account: Account) -> None:
    key = account.api_keys.get()
    today = today_of(api)["date"]
    row = KeyUsage.objects.get(key=key)
    for back in (1, 30, 31):
        KeyUsage.objects.add({(key.pk, row.day - timedelta(days=back)): {"requests": back, "pixels": 4_200_000}})
    days = api.get(ACCOUNT).json()["usage"]["days"]
    assert len(days) == 30
    assert today not in [day["date"] for day in days]
    assert [(day["requests"], day["megapixels"]) for day in (days[0], days[1], days[-1])] == [
        *((1, 4.2), (0, 0), (30, 4.2))
    ]


def test_a_request_writes_no_row(api: APIClient, on_valkey: str) -> None:
    api.get(URL)  # writes when the key was last used
    with CaptureQueriesContext(connection) as captured:
        api.get(URL)
    assert not any("usage" in query["sql"] for query in captured)


@pytest.mark.django_db(transaction=True)
def test_counts_outlive_a_database_that_is_away(api: APIClient, on_valkey: str) -> None:
    redis.Redis.from_url(on_valkey).flushdb()
    api.get(URL)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_keyusage RENAME TO away")
        with pytest.raises(DatabaseError):
            usage.write_rows()
        cursor.execute("ALTER TABLE away RENAME TO accounts_keyusage")
    usage.write_rows()
    assert KeyUsage.objects.get().requests == 1


def test_process_without_a_broker_writes_rows_by_itself(
    api: APIClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    api.get(URL)
    assert not KeyUsage.objects.exists()
    minute_later = time.monotonic() + 61
    monkeypatch.setattr("accounts.usage.time.monotonic", lambda: minute_later)
    api.get(URL)
    assert KeyUsage.objects.get().requests == 2
    broker.note(success=True)


def test_usage_of_a_key_that_is_gone_is_dropped(account: Account) -> None:
    usage.count(10**9, requests=1)
    usage.write_rows()
    assert not KeyUsage.objects.exists()
