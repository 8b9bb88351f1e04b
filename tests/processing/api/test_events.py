"""GET /api/v1/process/{job_id}/events: what happened to a job, without what only staff see."""

from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import WebhookDelivery
from processing.models.failures import Trace
from processing.models.webhook_attempts import Answer, Outcome
from processing.tasks import cancel, retry
from tests.answers import assert_error
from tests.processing.jobs import AWAY, HOOK, URL, claimed, completed, queued


def events(api: APIClient, job_id: str) -> list[dict[str, object]]:
    answer = api.get(f"{URL}/{job_id}/events")
    assert answer.status_code == 200
    assert answer.json()["job_id"] == job_id
    return list(answer.json()["events"])


def test_events_come_in_order_with_the_time_between_them(api: APIClient, key: ApiKey) -> None:
    job = completed(key)
    told = events(api, job.pk)
    assert [each["event"] for each in told] == ["submitted", "claimed", "completed"]
    assert told[0]["seconds_after_previous"] is None
    assert all(isinstance(each["seconds_after_previous"], float) for each in told[1:])
    assert [each["attempt"] for each in told] == [0, 1, 1]
    assert told[2]["bytes_stored"] == job.result["file:size"]  # type: ignore[index]
    assert str(told[0]["at"]) == f"{job.created_at:%Y-%m-%dT%H:%M:%SZ}"


def test_submit_that_an_earlier_version_wrote_as_an_event_is_told_once(api: APIClient, key: ApiKey) -> None:
    job = queued(key)
    job.record("submit")
    assert [each["event"] for each in events(api, job.pk)] == ["submitted"]


def test_attempts_of_webhooks_are_events(api: APIClient, key: ApiKey) -> None:
    job = completed(key, webhook_url=HOOK)
    delivery = WebhookDelivery.objects.get()
    assert delivery.begin_attempt()
    delivery.record_attempt(Answer(outcome=Outcome.AGAIN, response_status=500, milliseconds=7, content="a secret page"))
    last = events(api, job.pk)[-1]
    assert (last["event"], last["response_status"], last["milliseconds"]) == ("webhook", 500, 7)
    assert "secret" not in str(last)


def test_what_only_staff_see_is_not_told(api: APIClient, key: ApiKey) -> None:
    job = queued(key)
    assert job.begin_attempt("a-message", "w1@inside")
    assert job.fail(AWAY, trace=Trace(stage="finding scenes", text="Traceback of ours"))
    assert retry(job, "maria")
    told = api.get(f"{URL}/{job.pk}/events").content.decode()
    assert all(words not in told for words in ("w1@inside", "Traceback", "finding scenes", "maria"))
    assert [(each["event"], each.get("by")) for each in events(api, job.pk)][-1] == ("retried", "operator")


def test_poll_does_not_tell_it_either(api: APIClient, key: ApiKey) -> None:
    job = claimed(key)
    assert job.fail(AWAY, trace=Trace(stage="finding scenes", text="Traceback of ours"))
    body = api.get(f"{URL}/{job.pk}").content.decode()
    assert "Traceback" not in body
    assert "finding scenes" not in body


def test_cancellation_says_whose_it_was(api: APIClient, key: ApiKey) -> None:
    mine, theirs = queued(key), queued(key)
    assert cancel(mine, "Cancelled.")
    assert cancel(theirs, "Cancelled.", "maria")
    assert [events(api, job.pk)[-1]["by"] for job in (mine, theirs)] == ["owner", "operator"]


def test_unknown_job_has_no_events(api: APIClient) -> None:
    assert_error(api.get(f"{URL}/job_unknown/events"), 404, "NOT_FOUND")


def test_job_of_which_no_event_is_kept_tells_its_submit(api: APIClient, key: ApiKey) -> None:
    job = completed(key)
    job.events.all().delete()
    assert [each["event"] for each in events(api, job.pk)] == ["submitted"]
