"""Idempotency-Key: a submit that is sent twice makes one job."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from processing.models import IdempotencyKey, Job
from processing.tasks import expire_results
from tests.answers import Answer
from tests.processing.clock import Clock
from tests.processing.jobs import EXAMPLE, SCENE, URL, all_at_once, another_key, take_messages

OTHER = {**EXAMPLE, "params": {"colormap": "viridis"}}


def submit(client: APIClient, idempotency_key: str, body: object = EXAMPLE) -> Answer:
    return client.post(URL, body, format="json", headers={"Idempotency-Key": idempotency_key})


def test_same_body_gets_the_first_answer_again(api: APIClient) -> None:
    first, second = submit(api, "order-1"), submit(api, "order-1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1


def test_order_and_spacing_of_fields_do_not_matter(api: APIClient) -> None:
    first = submit(api, "order-1").json()
    turned = json.dumps(dict(reversed(EXAMPLE.items())), indent=4)
    headers = {"Idempotency-Key": "order-1"}
    second = api.post(URL, turned, content_type="application/json", headers=headers)
    assert second.json()["job_id"] == first["job_id"]


def test_another_body_answers_422(api: APIClient) -> None:
    submit(api, "order-1")
    answer = submit(api, "order-1", OTHER)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "IDEMPOTENCY_MISMATCH"
    assert Job.objects.count() == 1


def test_another_key_or_none_makes_another_job(api: APIClient) -> None:
    ids = {submit(api, "order-1").json()["job_id"], submit(api, "order-2").json()["job_id"]}
    ids |= {api.post(URL, EXAMPLE, format="json").json()["job_id"] for _ in range(2)}
    assert len(ids) == 4


def test_quoted_and_bare_key_are_the_same(api: APIClient) -> None:
    assert submit(api, "order-1").json() == submit(api, '"order-1"').json()
    assert IdempotencyKey.objects.get().key == "order-1"


@pytest.mark.parametrize("text", ["k", "k" * 255, '"' + "k" * 255 + '"', "8e03978e-40d5-43dd-bc93-6894a57f9324", '"'])
def test_key_may_have_255_characters(api: APIClient, text: str) -> None:
    assert submit(api, text).status_code == 202


@pytest.mark.parametrize("text", ["", '""', "k" * 256, '"' + "k" * 256 + '"', "a\tb", "a\x00b", "a\x7fb"])
def test_empty_long_or_unprintable_key_is_refused(api: APIClient, text: str) -> None:
    answer = submit(api, text)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [fault["parameter"] for fault in error["details"]["errors"]] == ["Idempotency-Key"]
    assert not Job.objects.exists()


def test_refused_requests_are_not_kept(api: APIClient) -> None:
    assert submit(api, "order-1", {**EXAMPLE, "scene_ids": ["nonsense"]}).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert submit(api, "order-1").status_code == 202
    assert submit(api, "order-1", {**EXAMPLE, "scene_ids": ["nonsense"]}).status_code == 400


def test_keys_are_per_account(api: APIClient) -> None:
    _, text = another_key()
    other = APIClient(headers={"authorization": f"Bearer {text}"})
    ours, theirs = submit(api, "order-1"), submit(other, "order-1", OTHER)
    assert (ours.status_code, theirs.status_code) == (202, 202)
    assert ours.json()["job_id"] != theirs.json()["job_id"]


def test_test_and_live_keys_have_idempotency_keys_of_their_own(api: APIClient, live_key: str) -> None:
    submit(api, "order-1")
    live = APIClient(headers={"authorization": f"Bearer {live_key}"})
    answers = [submit(client, "order-1") for client in (live, api, live)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert answers[0].json()["job_id"] == answers[2].json()["job_id"] != answers[1].json()["job_id"]


def test_keys_are_kept_for_24_hours(api: APIClient, clock: Clock) -> None:
    first = submit(api, "order-1").json()["job_id"]
    clock.move(hours=23, minutes=59)
    expire_results()
    assert submit(api, "order-1").json()["job_id"] == first
    clock.move(minutes=2)
    expire_results()
    assert submit(api, "order-1").json()["job_id"] != first


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one_job(test_key: str) -> None:
    def send(_: int) -> tuple[int, str]:
        answer = submit(APIClient(headers={"authorization": f"Bearer {test_key}"}), "order-1")
        return answer.status_code, answer.json().get("job_id")

    answers = all_at_once(20, send)
    job = Job.objects.get()
    assert answers == [(202, job.pk)] * 20
    assert take_messages() == ["work"]


@pytest.mark.django_db(transaction=True)
def test_two_bodies_at_once_make_one_job_and_one_refusal(test_key: str) -> None:
    def send(number: int) -> int:
        client = APIClient(headers={"authorization": f"Bearer {test_key}"})
        body = {"operation": "ndvi", "scene_ids": [SCENE], "params": {"colormap": ("greens", "viridis")[number]}}
        return submit(client, "order-1", body).status_code

    assert sorted(all_at_once(2, send)) == [202, 422]
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("idempotency_key", [None, "order-1"])
def test_fault_of_another_constraint_comes_out_as_itself(
    api: APIClient, caplog: pytest.LogCaptureFixture, idempotency_key: str | None
) -> None:
    fault = IntegrityError("NOT NULL constraint failed: processing_job.mode")

    def refuse(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith('INSERT INTO "processing_job"'):
            raise fault
        return execute(sql, *arguments)

    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    with connection.execute_wrapper(refuse):
        answer = api.post(URL, EXAMPLE, format="json", headers=headers)
    assert answer.status_code == 500
    (logged,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert logged is fault
    assert not Job.objects.exists()
