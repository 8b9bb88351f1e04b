"""Submits over HTTP, and what holds after a refused one."""

from typing import Any, cast

from rest_framework.test import APIClient

from processing.models import IdempotencyKey, Job, JobEvent
from tests.answers import Answer, assert_error
from tests.processing.jobs import URL, take_messages


def post(client: APIClient, body: Any) -> Answer:
    return client.post(URL, body, format="json", headers={"Idempotency-Key": "one"})


def post_raw(client: APIClient, body: bytes, content_type: str = "application/json") -> Answer:
    return client.generic("POST", URL, cast(str, body), content_type=content_type, headers={"Idempotency-Key": "one"})


def assert_refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The error in the answer. Nothing was written and no message sent."""
    error = assert_error(answer, status, code)
    assert not Job.objects.exists()
    assert not JobEvent.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert take_messages() == []
    return dict(error)
