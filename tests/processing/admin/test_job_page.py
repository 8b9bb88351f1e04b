"""A job's page: what it asked for, what happened, what came of it, and what its status allows."""

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client

from accounts.models import ApiKey
from processing.execution import execute
from processing.models import Job, WebhookDelivery
from processing.models.failures import Trace
from processing.models.webhook_attempts import Answer, Outcome
from tests.processing.admin.staff import JOBS, page
from tests.processing.jobs import HOOK, claim_again, claimed, completed, failed, queued, row, take_messages, verbs


def path(job: Job, end: str = "change/") -> str:
    return f"{JOBS}{quote(job.pk)}/{end}"


def act(client: Client, job: Job, verb: str, **fields: str) -> str:
    """The page after a button was pressed."""
    answer = client.post(path(job, f"act/{verb}/"), fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def buttons(client: Client, job: Job) -> list[str]:
    return re.findall(r"/act/(\w+)/", page(client, path(job)))


def test_buttons_are_those_that_the_status_allows(admin_client: Client, key: ApiKey) -> None:
    cancelled = queued(key)
    act(admin_client, cancelled, "cancel")
    assert buttons(admin_client, queued(key)) == ["cancel"]
    assert buttons(admin_client, claimed(key)) == ["cancel"]
    assert buttons(admin_client, failed(key)) == ["retry"]
    assert buttons(admin_client, completed(key)) == ["expire", "extend"]
    assert buttons(admin_client, cancelled) == []
    assert buttons(admin_client, failed(key, webhook_url=HOOK)) == ["retry", "resend"]


def test_failed_job_says_why_and_where(admin_client: Client, key: ApiKey) -> None:
    job = claimed(key)
    error = {"code": "SCENE_UNREADABLE", "message": "The <file> is damaged.", "details": {"retryable": False}}
    assert job.fail(error, trace=Trace(stage="opening files", text="Traceback: here <b>"))
    shown = page(admin_client, path(job))
    assert "The &lt;file&gt; is damaged." in shown
    assert "Stage: opening files" in shown
    assert "Traceback: here &lt;b&gt;" in shown


def test_traceback_of_a_fault_of_ours_is_kept_for_staff(admin_client: Client, key: ApiKey) -> None:
    job = claimed(key)
    Job.objects.filter(pk=job.pk).update(operation="unknown")
    job.refresh_from_db()
    execute(job)
    shown = page(admin_client, path(job))
    assert "INTERNAL_ERROR" in shown
    assert "raster_job" in shown


def test_timeline_tells_each_attempt_with_its_worker_and_reason(admin_client: Client, key: ApiKey) -> None:
    job = queued(key, request_id="request-7", webhook_url=HOOK)
    assert job.begin_attempt("a-message", "w1@host")
    assert job.report_progress(40)
    assert job.hand_back("the worker was lost")
    job = claim_again(job)
    assert job.complete(result={"file:size": 2_800_000}, result_key="jobs/1.tif", warnings=["cloudy"])
    delivery = WebhookDelivery.objects.get()
    assert delivery.begin_attempt()
    delivery.record_attempt(Answer(outcome=Outcome.DELIVERED, response_status=200, milliseconds=84))
    shown = page(admin_client, path(job))
    timeline = shown[shown.index("events-group") :]
    told = ["submitted", f"…{key.last_four}", "request-7", "w1@host", "the worker was lost", "at 40 %", "2.8 MB stored"]
    places = [timeline.index(words) for words in [*told, "200 in 84 ms"]]
    assert places == sorted(places)
    assert "cloudy" in shown


def test_statistics_are_drawn_as_charts(admin_client: Client, key: ApiKey) -> None:
    ndvi, change = claimed(key), claimed(key, operation="change_detection")
    histogram = {"count": 4, "min": -1.0, "max": 1.0, "buckets": [0, 1, 30, 2]}
    assert ndvi.complete(result={"statistics": {"mean": 0.5, "histogram": histogram}}, result_key="a", warnings=[])
    classes = [{"value": 2, "name": "vegetation loss", "pixels": 9, "hectares": 1579.2, "percent": 4.6}]
    hints = [{"value": 2, "color_hint": "E69F00"}]
    result = {"statistics": {"classes": classes}, "classification:classes": hints}
    assert change.complete(result=result, result_key="b", warnings=[])
    drawn = page(admin_client, path(ndvi))
    assert drawn.count("<rect") == 3
    assert "30 pixels" in drawn
    drawn = page(admin_client, path(change))
    assert 'fill="#E69F00"' in drawn
    assert "1,579.2" in drawn


def test_job_is_shown_as_its_caller_sees_it_and_as_curl(admin_client: Client, key: ApiKey) -> None:
    job = completed(key, webhook_url=HOOK)
    shown = page(admin_client, path(job)).replace("&quot;", '"').replace("&#x27;", "'")
    assert f'"job_id": "{job.pk}"' in shown
    asked = json.loads(re.search(r"curl -X POST http://testserver/api/v1/process .* -d '(.*)'", shown)[1])  # type: ignore[index]
    assert asked == {
        "operation": job.operation,
        "scene_ids": job.scene_ids,
        "params": job.params,
        "webhook_url": HOOK,
    }


@pytest.mark.parametrize(("verb", "event"), [("expire", "discard"), ("extend", "extend")])
def test_life_of_a_result_ends_now_or_later(admin_client: Client, key: ApiKey, verb: str, event: str) -> None:
    job = completed(key)
    before = row(job)["expires_at"]
    assert "Jobs" in act(admin_client, job, verb)
    after = row(job)["expires_at"]
    assert after < before if verb == "expire" else after > before
    assert list(job.events.values_list("verb", "actor"))[-1] == (event, "admin")
    assert [entry.object_id for entry in LogEntry.objects.all()] == [job.pk]
    assert take_messages() == (["expire_results"] if verb == "expire" else [])


def test_webhook_is_sent_again(admin_client: Client, key: ApiKey) -> None:
    job = failed(key, webhook_url=HOOK)
    WebhookDelivery.objects.update(status="given up", attempts=10)
    act(admin_client, job, "resend")
    assert list(WebhookDelivery.objects.values_list("status", "attempts")) == [("pending", 0)]
    assert list(job.events.values_list("verb", "actor"))[-1] == ("resend", "admin")
    assert take_messages() == ["deliver"]


def test_retried_job_keeps_its_place(admin_client: Client, key: ApiKey) -> None:
    job = failed(key)
    later = queued(key)
    act(admin_client, job, "retry")
    assert verbs(job)[-1] == "retry"
    assert [each.pk for each in Job.objects.due()] == [job.pk, later.pk]


def test_error_that_a_retry_cannot_cure_is_asked_about_first(admin_client: Client, key: ApiKey) -> None:
    job = claimed(key)
    assert job.fail({"code": "BAND_NOT_FOUND", "message": "No B99.", "details": {"retryable": False}})
    asked = act(admin_client, job, "retry")
    assert "Retry all the same" in asked
    assert "No B99." in asked
    assert row(job)["status"] == "failed"
    act(admin_client, job, "retry", confirmed="yes")
    assert row(job)["status"] == "queued"


def test_selected_jobs_are_asked_about_too(admin_client: Client, key: ApiKey) -> None:
    jobs = [claimed(key), claimed(key)]
    for job in jobs:
        assert job.fail({"code": "NO_VALID_PIXELS", "message": "Nothing.", "details": {"retryable": False}})
    form = {"action": "retry", "_selected_action": [job.pk for job in jobs]}
    asked = admin_client.post(JOBS, form).content.decode()
    assert all(f'value="{job.pk}"' in asked for job in jobs)
    assert {row(job)["status"] for job in jobs} == {"failed"}
    admin_client.post(JOBS, {**form, "confirmed": "yes"})
    assert {row(job)["status"] for job in jobs} == {"queued"}


def test_cancelled_job_is_not_retried(admin_client: Client, key: ApiKey) -> None:
    job = queued(key)
    act(admin_client, job, "cancel")
    act(admin_client, job, "retry", confirmed="yes")
    assert row(job)["status"] == "failed"


@pytest.mark.parametrize("job_id", ["job_unknown", "job_%00", "x/y"])
def test_unknown_job_is_404(admin_client: Client, job_id: str) -> None:
    assert admin_client.get(f"{JOBS}{job_id}/change/").status_code == 404
    assert admin_client.post(f"{JOBS}{job_id}/act/retry/").status_code == 404


def test_button_is_no_link(admin_client: Client, key: ApiKey) -> None:
    job = failed(key)
    assert admin_client.get(path(job, "act/retry/")).status_code == 405
    assert admin_client.post(path(job, "act/explode/")).status_code == 404
