"""What holds all other tests' answers against the document does notice what is wrong."""

import json
from typing import Any

import pytest
from django.http import HttpResponse, JsonResponse
from django.test import RequestFactory

from tests.described import check

PATH = "/healthz"


def answer(body: Any, status: int = 200, media_type: str = "application/json") -> HttpResponse:
    headers = {"X-Request-Id": "1", "X-Astra-Version": "0"}
    return JsonResponse(body, status=status, headers=headers, content_type=media_type)


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "A sentence.", "details": {}}}


def test_answer_as_described_passes() -> None:
    check(RequestFactory().get(PATH), answer({"status": "ok"}))
    check(RequestFactory().post(PATH), answer(error("METHOD_NOT_ALLOWED"), 405))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (answer({"status": "ok"}, 418), "not described"),
        (answer({"status": "fine"}), "status"),
        (answer({"status": "ok", "more": 1}), "more"),
        (answer({}), "required"),
        (answer(error("CONFLICT"), 400), "CONFLICT"),
        (answer({"status": "ok"}, 200, "text/html"), "text/html"),
        (HttpResponse(json.dumps({"status": "ok"}), content_type="application/json"), "X-Request-Id"),
    ],
)
def test_answer_of_another_kind_is_noticed(wrong: HttpResponse, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check(RequestFactory().get(PATH), wrong)


def test_method_that_is_not_described_may_only_be_refused() -> None:
    with pytest.raises(AssertionError, match="not described"):
        check(RequestFactory().delete(PATH), answer({"status": "ok"}))
