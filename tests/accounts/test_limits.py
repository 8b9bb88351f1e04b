"""What a plan allows, as callers of the API notice it."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.keys import new_key
from accounts.models import Account, ApiKey
from accounts.plans import plan_limits
from astra.broker import broker
from tests.answers import assert_error, client_with
from tests.processing.jobs import EXAMPLE, URL, claimed, queued

OPERATIONS = "/api/v1/operations"
NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture
def limit(settings: Settings) -> Any:
    """Sets limits of plan Scale."""

    def change(**limits: int) -> None:
        scale = replace(settings.PLAN_LIMITS["scale"], **limits)
        settings.PLAN_LIMITS = {**settings.PLAN_LIMITS, "scale": scale}

    return change


def left(answer: Any) -> tuple[int, int]:
    return int(answer["X-RateLimit-Limit"]), int(answer["X-RateLimit-Remaining"])


def test_request_over_the_burst_is_refused_until_there_is_room(api: APIClient, limit: Any) -> None:
    limit(requests_per_minute=2, burst=2)
    answers = [api.get(OPERATIONS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [left(answer) for answer in answers] == [(2, 1), (2, 0), (2, 0)]
    error = assert_error(answers[2], 429, "RATE_LIMITED")
    assert error["details"]["retry_after"] == int(answers[2]["Retry-After"]) in (29, 30)
    assert int(answers[2]["X-RateLimit-Reset"]) > int(answers[0]["X-RateLimit-Reset"])


def test_request_over_the_day_is_refused_until_the_next(api: APIClient, limit: Any) -> None:
    limit(requests_per_day=1)
    assert api.get(OPERATIONS)["X-RateLimit-Remaining"] == "0"
    answer = api.get(OPERATIONS)
    assert "day" in assert_error(answer, 429, "RATE_LIMITED")["message"]
    assert int(answer["X-RateLimit-Reset"]) % 86_400 == 0


def test_keys_of_one_account_do_not_limit_each_other(api: APIClient, live_key: str, limit: Any) -> None:
    limit(requests_per_minute=1, burst=1)
    assert [api.get(OPERATIONS).status_code for _ in range(2)] == [200, 429]
    assert client_with(live_key).get(OPERATIONS).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", f"{URL}/job_0000000000000000000000", 404),
        ("get", "/api/v1/nothing", 404),
        ("put", OPERATIONS, 405),
        ("post", URL, 400),
        ("get", f"{URL}?limit=0", 400),
        ("get", f"{URL}?limit=1&limit=2", 400),
    ],
)
def test_errors_carry_the_headers_too(api: APIClient, method: str, path: str, status: int) -> None:
    answer = getattr(api, method)(path)
    assert answer.status_code == status
    assert all(int(answer[name]) > 0 for name in NAMES)


def test_unchanged_answer_carries_the_headers_too(api: APIClient, account: Account) -> None:
    job = queued(account.api_keys.get())
    etag = api.get(f"{URL}/{job.pk}")["ETag"]
    answer = api.get(f"{URL}/{job.pk}", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert all(name in answer for name in NAMES)


@pytest.mark.parametrize("header", [{}, {"authorization": f"Bearer {new_key('live')}"}])
def test_nobody_else_learns_limits(db: None, header: dict[str, str]) -> None:
    answer = APIClient().get(OPERATIONS, headers=header)
    assert answer.status_code == 401
    assert not any(name in answer for name in NAMES)


def test_probes_and_pages_are_not_limited(api: APIClient, limit: Any) -> None:
    limit(requests_per_minute=1, burst=1)
    assert {api.get("/healthz").status_code for _ in range(3)} == {200}


def test_broker_that_is_away_neither_stops_callers_nor_lets_strangers_in(api: APIClient, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert api.get(OPERATIONS).status_code == 200
    assert client_with(new_key("live")).get(OPERATIONS).status_code == 401
    broker.note(success=True)


# --- The queue -------------------------------------------------------------------------------------------------------


def test_queue_takes_as_many_jobs_as_the_plan_allows(api: APIClient, account: Account, limit: Any) -> None:
    limit(queued_jobs=2)
    claimed(account.api_keys.get())  # at work, so no longer in the queue
    answers = [api.post(URL, EXAMPLE, format="json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert "2 jobs" in assert_error(answers[2], 429, "QUEUE_FULL")["message"]
    assert int(answers[2]["Retry-After"]) > 0
    api.delete(f"{URL}/{answers[0].json()['job_id']}")
    assert api.post(URL, EXAMPLE, format="json").status_code == 202


def test_repeated_submit_gets_its_job_though_the_queue_is_full(api: APIClient, limit: Any) -> None:
    limit(queued_jobs=1)
    first = api.post(URL, EXAMPLE, format="json", headers={"Idempotency-Key": "one"})
    again = api.post(URL, EXAMPLE, format="json", headers={"Idempotency-Key": "one"})
    assert again.json()["job_id"] == first.json()["job_id"]
    other = api.post(URL, EXAMPLE, format="json", headers={"Idempotency-Key": "two"})
    assert_error(other, 429, "QUEUE_FULL")


# --- Plans -----------------------------------------------------------------------------------------------------------


def test_setting_changes_what_it_names_and_nothing_else() -> None:
    before = plan_limits("", pixels_per_job=7)
    after = plan_limits('{"pro": {"burst": 1, "pixels_per_job": 5}}', pixels_per_job=7)
    assert after == {**before, "pro": replace(before["pro"], burst=1, pixels_per_job=5)}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"gold": {}}', '{"pro": 1}', '{"pro": {"bursts": 1}}', '{"pro": {"burst": 0}}', "[" * 10**5]
)
def test_nonsense_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|knows no|holds"):
        plan_limits(text, pixels_per_job=1)


def test_limits_of_its_own_count_for_enterprise_only(account: Account) -> None:
    account.own_limits, of_scale = {"queued_jobs": 9}, account.limits
    assert account.limits == of_scale
    account.plan = Account.Plan.ENTERPRISE
    assert account.limits == replace(of_scale, queued_jobs=9)


def test_staff_cannot_set_limits_that_do_not_exist(admin_client: Any, account: Account) -> None:
    address = f"/admin/accounts/account/{account.pk}/change/"
    form = {"name": account.name, "plan": "enterprise", "own_limits": '{"bursts": 1}'}
    assert "knows no limit" in admin_client.post(address, form).content.decode()
    assert admin_client.post(address, {**form, "own_limits": '{"burst": 7}'}).status_code == 302
    account.refresh_from_db()
    assert account.limits.burst == 7


def test_key_without_account_of_plan_scale_is_limited_by_its_own_plan(db: None, settings: Settings) -> None:
    settings.PLAN_LIMITS = plan_limits("", pixels_per_job=1)
    free = Account.objects.create(name="Free")
    answer = client_with(ApiKey.objects.issue(free, "test")[1]).get(OPERATIONS)
    assert left(answer) == (free.limits.requests_per_minute, free.limits.burst - 1)
