"""Clients that send a key, and what the service answers them."""

from typing import Any, Protocol

from rest_framework.test import APIClient


class Answer(Protocol):
    """What every test client returns; the stubs of Django and REST framework have no public name for it."""

    status_code: int

    @property
    def content(self) -> bytes: ...

    def getvalue(self) -> bytes:
        """The content, also of an answer that is sent part by part, as files are."""

    def json(self) -> Any: ...

    def __getitem__(self, header: str, /) -> str: ...


def client_with(key: str) -> APIClient:
    """A client that sends the API key of this text."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def assert_error(answer: Answer, status: int, code: str | None = None) -> dict[str, Any]:
    """The error that the answer reports. It must have this status and code, and the form of every error."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json", answer.content[:200]
    body = answer.json()
    assert set(body) == {"error"}
    error = dict(body["error"])
    assert set(error) == {"code", "message", "details"}
    assert isinstance(error["details"], dict)
    assert error["message"]
    assert code is None or error["code"] == code
    return error
