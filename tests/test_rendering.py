"""Answers as JSON, by orjson or, where that refuses, by Django REST framework."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer

from astra.rendering import FastJSONRenderer


@pytest.mark.parametrize(
    "value",
    [
        {"status": "queued", "progress": 0, "result": None, "scene_ids": ["a:b"], "share": 0.1, "done": False},
        {"received": 10**30},
        {"at": datetime(2026, 1, 15, 18, 49, 29, tzinfo=UTC)},
        {"text": "Grünland … 森\u2028", 1: "a key that is no text"},
        [],
    ],
)
def test_answer_means_what_the_framework_writes(value: Any) -> None:
    assert json.loads(FastJSONRenderer().render(value)) == json.loads(JSONRenderer().render(value))


def test_nothing_is_no_content() -> None:
    assert FastJSONRenderer().render(None) == b""


def test_number_that_is_none_is_null() -> None:
    assert FastJSONRenderer().render([float("nan")]) == b"[null]"
