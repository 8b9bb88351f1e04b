"""Where an attempt failed, for staff: the stage, and a traceback that any row can hold and that shows no secret."""

import pytest

from accounts.keys import new_key
from accounts.models import ApiKey
from processing.execution import execute
from processing.models.failures import Trace
from tests.processing.jobs import claimed


def trace_of(message: str) -> Trace:
    try:
        raise ValueError(message)
    except ValueError as error:
        return Trace.of(error)


def test_key_and_query_of_a_url_are_left_out() -> None:
    key = new_key("live")
    text = trace_of(f"https://store.example/a.tif?sig=abc&se=2026 was asked with {key}").text
    assert "https://store.example/a.tif?..." in text
    assert "sig=abc" not in text
    assert key not in text
    assert "ValueError" in text


@pytest.mark.parametrize("message", ["a\0b", "half \ud800 of a pair"])
def test_row_can_hold_it(message: str) -> None:
    text = trace_of(message).text
    assert "\0" not in text
    text.encode()


def test_end_of_a_long_traceback_is_kept() -> None:
    text = trace_of("x" * 100_000 + " the end").text
    assert len(text) < 50_000
    assert text.rstrip().endswith("the end")


@pytest.mark.usefixtures("sandbox_of_jobs")
@pytest.mark.parametrize(
    ("scene", "stage"),
    [("TEST_NOT_FOUND", "finding scenes"), ("TEST_UNREADABLE", "opening files"), ("TEST_NO_DATA", "computing")],
)
def test_stage_is_where_the_work_was(key: ApiKey, scene: str, stage: str) -> None:
    job = claimed(key, scene_ids=[f"sentinel-2:{scene}"])
    execute(job)
    job.refresh_from_db()
    assert job.stage == stage
    assert "Traceback" in job.events.get(verb="fail").traceback


def test_retry_forgets_the_stage_and_keeps_the_traceback(key: ApiKey) -> None:
    job = claimed(key)
    assert job.fail({"code": "X", "message": "", "details": {}}, trace=Trace(stage="computing", text="here"))
    assert job.retry("maria")
    assert job.stage == ""
    assert job.events.get(verb="fail").traceback == "here"
