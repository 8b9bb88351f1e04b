"""Prefer: wait=N on a submit: the finished job if it ends in time, else what a submit answers anyway."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from rest_framework.test import APIClient

from astra.web import stopping
from processing.api.places import ENDS_OF_JOBS
from processing.api.prefer_wait import preferred_wait
from processing.models import Job
from tests.answers import Answer, assert_error, client_with
from tests.processing.jobs import AWAY, EXAMPLE, URL, claim_again, finish
from tests.servers import wait_until

HEADERS = [
    ("wait=10", 10),
    ("wait=1", 1),
    ("wait=30", 30),
    ("Wait = 7", 7),
    ('wait="5"', 5),
    ("respond-async, wait=10", 10),
    ("respond-async,wait=10", 10),
    ('foo="a, wait=3"; bar="wait=4", wait=5', 5),
    ("wait=5; foo", 5),
    ("wait=5 ; foo=bar;;", 5),
    ("wait=5, wait=9", 5),
    (",, wait=5,", 5),
    ("", None),
    ("respond-async", None),
    ("wait", None),
    ("wait=", None),
    ("wait=soon", None),
    ("wait=soon, wait=5", None),
    ("wait=0", None),
    ("wait=31", None),
    ("wait=-1", None),
    ("wait=1.5", None),
    ("wait=٣", None),
    ("wait=" + "9" * 5000, None),
    ('wait="5', None),
    ("waiting=5", None),
    ("foo; wait=5", None),
    ("=5", None),
    ("wait=5 6", None),
]


@pytest.mark.parametrize(("header", "seconds"), HEADERS)
def test_seconds_of_a_header(header: str, seconds: int | None) -> None:
    assert preferred_wait(header) == seconds


def submit(client: APIClient, prefer: str = "wait=20", **headers: str) -> Answer:
    return client.post(URL, EXAMPLE, format="json", headers={"Prefer": prefer, **headers})


@contextmanager
def submitting(text: str) -> Iterator[tuple[Job, "list[Answer]"]]:
    """The job of a submit that waits, and the list into which its answer comes once it does."""
    answers: list[Answer] = []

    def send() -> None:
        try:
            answers.append(submit(client_with(text)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send)
        try:
            yield wait_until(lambda: Job.objects.first(), 10, "the job"), answers
        finally:
            sent.result(30)


@pytest.mark.django_db(transaction=True)
def test_job_that_ends_in_time_is_the_answer(test_key: str) -> None:
    with submitting(test_key) as (job, answers):
        working = claim_again(job)
        assert answers == []
        assert finish(working)
        ended = time.monotonic()
    assert time.monotonic() - ended < 3
    (answer,) = answers
    assert (answer.status_code, answer["Preference-Applied"]) == (200, "wait=20")
    body = answer.json()
    assert (body["job_id"], body["status"], body["progress"]) == (job.pk, "completed", 100)
    assert body == {**client_with(test_key).get(answer["Location"]).json()}
    assert "Retry-After" not in dict(answer.items())  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_job_that_fails_in_time_is_the_answer_too(test_key: str) -> None:
    with submitting(test_key) as (job, answers):
        assert job.cancel({**AWAY, "code": "CANCELED"})
    assert (answers[0].status_code, answers[0].json()["error"]["code"]) == (200, "CANCELED")


def test_job_that_takes_longer_is_answered_as_ever_after_the_time(api: APIClient) -> None:
    began = time.monotonic()
    answer = submit(api, "wait=1")
    assert 1 <= time.monotonic() - began < 10
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer["Preference-Applied"] == "wait=1"
    assert int(answer["Retry-After"]) > 0


def assert_at_once(answer: Answer, began: float) -> None:
    assert answer.status_code == 202
    assert time.monotonic() - began < 10
    assert "Preference-Applied" not in dict(answer.items())  # type: ignore[attr-defined]
    assert int(answer["Retry-After"]) > 0


def test_malformed_preference_is_ignored(api: APIClient) -> None:
    began = time.monotonic()
    assert_at_once(submit(api, "wait=forever"), began)


def test_waiters_beyond_the_bound_are_answered_at_once(api: APIClient) -> None:
    with ExitStack() as others:
        while others.enter_context(ENDS_OF_JOBS.one()):
            pass
        began = time.monotonic()
        assert_at_once(submit(api), began)
    with ENDS_OF_JOBS.one() as is_free:
        assert is_free


def test_process_that_is_stopped_answers_first(api: APIClient) -> None:
    stopping.set()
    try:
        began = time.monotonic()
        assert submit(api).status_code == 202
        assert time.monotonic() - began < 10
    finally:
        stopping.clear()


def test_repeated_submit_of_a_finished_job_does_not_wait(api: APIClient) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = submit(api, "", **key).json()["job_id"]
    finish(claim_again(Job.objects.get()))
    began = time.monotonic()
    again = submit(api, **key)
    assert time.monotonic() - began < 10
    assert (again.status_code, again.json()["job_id"], again.json()["status"]) == (200, first, "completed")
    assert submit(api, "", **key).status_code == 202, "without the preference nothing is new"


@pytest.mark.django_db(transaction=True)
def test_caller_learns_the_id_though_the_database_goes_away(api: APIClient) -> None:
    seen: list[str] = []

    def refuse(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        """Once the job and its first event are written."""
        if any("processing_jobevent" in earlier for earlier in seen):
            raise OperationalError("server closed the connection unexpectedly")
        seen.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        answer = submit(api, "wait=1")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert Job.objects.get().pk == answer.json()["job_id"]


def test_refused_submit_does_not_wait(api: APIClient) -> None:
    answer = api.post(URL, {"operation": "ndvi"}, format="json", headers={"Prefer": "wait=20"})
    assert_error(answer, 400, "VALIDATION_ERROR")
