"""Submits over HTTP, and what holds after a refused one."""

from typing import Any

from rest_framework.response import Response
from rest_framework.test import APIClient

from processing.models import IdempotencyKey, Job, JobEvent
from tests.processing.jobs import URL, take_messages


def post(client: APIClient, body: Any) -> Response:
    return client.post(URL, body, format="json", headers={"Idempotency-Key": "one"})


def post_raw(client: APIClient, body: bytes, content_type: str = "application/json") -> Response:
    return client.generic("POST", URL, body, content_type=content_type, headers={"Idempotency-Key": "one"})


def assert_refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The error in the answer; nothing was written and no message sent."""
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
