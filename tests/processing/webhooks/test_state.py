"""What a job's body says of its webhook."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.clock import Clock
from tests.processing.jobs import EXAMPLE, URL, claim_again, completed, failed, finish, queued
from tests.servers import Receiver

from .deliveries import try_now


def webhook_of(api: APIClient, job: Job) -> dict[str, Any]:
    return dict(api.get(f"{URL}/{job.pk}").json()["webhook"])


def test_job_without_a_webhook_has_null(api: APIClient, key: ApiKey) -> None:
    assert api.get(f"{URL}/{completed(key).pk}").json()["webhook"] is None
    assert api.post(URL, EXAMPLE, format="json").json()["webhook"] is None


def test_webhook_waits_for_the_end_of_the_job(api: APIClient, key: ApiKey, receiver: Receiver) -> None:
    job = queued(key, webhook_url=receiver.hook)
    waiting = {"url": receiver.hook, "state": "waiting", "attempts": 0, "last_status": None, "next_attempt_at": None}
    assert webhook_of(api, job) == waiting
    canceled = api.delete(f"{URL}/{job.pk}").json()
    assert canceled["webhook"] == {**waiting, "state": "pending"} == webhook_of(api, job)


def test_state_changes_with_each_attempt_and_the_etag_with_it(
    api: APIClient, key: ApiKey, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [503, 204]
    job, etags = failed(key, webhook_url=receiver.hook), []
    for state, attempts, status in (("pending", 0, None), ("pending", 1, 503), ("delivered", 2, 204)):
        polled = api.get(f"{URL}/{job.pk}")
        shown = polled.json()["webhook"]
        assert (shown["state"], shown["attempts"], shown["last_status"]) == (state, attempts, status)
        assert (shown["next_attempt_at"] is None) is (attempts != 1)
        etags.append(polled["ETag"])
        assert api.get(f"{URL}/{job.pk}", headers={"If-None-Match": polled["ETag"]}).status_code == 304
        try_now(job.deliveries.get(), clock)
    assert len(set(etags)) == 3


@pytest.mark.parametrize(("answer", "state"), [(410, "given_up"), (500, "given_up"), (200, "delivered")])
def test_end_of_a_delivery_is_shown_in_polls_and_lists(
    api: APIClient, key: ApiKey, receiver: Receiver, clock: Clock, settings: Settings, answer: int, state: str
) -> None:
    settings.WEBHOOK_DELAYS = []
    receiver.answers = [answer]
    job = failed(key, webhook_url=receiver.hook)
    try_now(job.deliveries.get(), clock)
    ended = {"url": receiver.hook, "state": state, "attempts": 1, "last_status": answer, "next_attempt_at": None}
    assert webhook_of(api, job) == ended
    assert api.get(URL).json()["jobs"][0]["webhook"] == ended


def test_after_a_retry_by_staff_the_webhook_of_the_last_end_is_shown(
    api: APIClient, key: ApiKey, receiver: Receiver, clock: Clock
) -> None:
    job = failed(key, webhook_url=receiver.hook)
    try_now(job.deliveries.get(), clock)
    assert webhook_of(api, job)["state"] == "delivered"
    job.refresh_from_db()
    assert job.retry("staff")
    assert webhook_of(api, job)["state"] == "waiting"
    assert finish(claim_again(job))
    assert webhook_of(api, job)["state"] == "pending"


def test_repeated_idempotency_key_shows_the_webhook_as_it_is_now(
    api: APIClient, key: ApiKey, receiver: Receiver, clock: Clock
) -> None:
    body = {**EXAMPLE, "webhook_url": receiver.hook}
    first = api.post(URL, body, format="json", headers={"Idempotency-Key": "one"}).json()
    job = claim_again(Job.objects.get(pk=first["job_id"]))
    assert finish(job)
    try_now(job.deliveries.get(), clock)
    again = api.post(URL, body, format="json", headers={"Idempotency-Key": "one"}).json()
    assert (again["job_id"], again["webhook"]["state"]) == (job.pk, "delivered")
