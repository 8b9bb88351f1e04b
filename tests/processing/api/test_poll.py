"""GET /api/v1/process/{job_id}: the body of a job in every state, and its headers."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import Job
from tests.processing.clock import Clock
from tests.processing.jobs import (
    AWAY,
    CONTENT,
    ERROR,
    SCENE,
    URL,
    another_key,
    claim,
    claim_again,
    claimed,
    completed,
    failed,
    queued,
)

CREATED = datetime(2025, 1, 15, 19, 0, 0, tzinfo=UTC)
NO_VALUES_YET: dict[str, Any] = {
    "queue_position": None,
    "eta_seconds": None,
    "retry": None,
    "started_at": None,
    "completed_at": None,
    "duration_ms": None,
    "result": None,
    "warnings": [],
    "error": None,
}


def at(job: Job, **times: datetime) -> Job:
    """The job with these times."""
    Job.objects.filter(pk=job.pk).update(**times)
    job.refresh_from_db()
    return job


def submitted(job: Job) -> dict[str, object]:
    """The fields of every body, whatever the status."""
    return {
        "job_id": job.pk,
        "operation": "ndvi",
        "scene_ids": [SCENE],
        "params": {"colormap": "rdylgn"},
        "webhook_url": None,
        "webhook": None,
        "created_at": "2025-01-15T19:00:00Z",
    }


# --- Bodies ---------------------------------------------------------------------------------------------------------


def test_poll_of_a_queued_job(api: APIClient, key: ApiKey) -> None:
    job = at(queued(key), created_at=CREATED)
    answer = api.get(f"{URL}/{job.pk}")
    assert answer.status_code == 200
    body = answer.json()
    place = {"queue_position": 1, "eta_seconds": body["eta_seconds"]}
    assert body == {**submitted(job), **NO_VALUES_YET, "status": "queued", "progress": 0, "attempt": 0, **place}


def test_poll_of_a_processing_job(api: APIClient, key: ApiKey) -> None:
    job = at(claimed(key), created_at=CREATED, started_at=CREATED + timedelta(seconds=2))
    job.report_progress(42)
    assert api.get(f"{URL}/{job.pk}").json() == {
        **submitted(job),
        **NO_VALUES_YET,
        "status": "processing",
        "progress": 42,
        "attempt": 1,
        "started_at": "2025-01-15T19:00:02Z",
    }


def test_poll_of_a_completed_job(api: APIClient, key: ApiKey) -> None:
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    job = at(
        completed(key),
        created_at=CREATED,
        started_at=CREATED + timedelta(seconds=2),
        completed_at=CREATED + timedelta(seconds=12, milliseconds=340),
        expires_at=expires,
    )
    body = dict(api.get(f"{URL}/{job.pk}").json())
    result = dict(body.pop("result"))
    assert body == {
        **submitted(job),
        "status": "completed",
        "progress": 100,
        "attempt": 1,
        "queue_position": None,
        "eta_seconds": None,
        "retry": None,
        "started_at": "2025-01-15T19:00:02Z",
        "completed_at": "2025-01-15T19:00:12Z",
        "duration_ms": 12340,
        "warnings": [],
        "error": None,
    }
    assert result.pop("href").startswith(f"http://testserver/files/jobs/{job.pk}/1/ndvi_output.tif?")
    assert result == {
        "preview_url": None,
        "viewer_url": None,
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "file:size": len(CONTENT),
        "file:checksum": "1220" + sha256(CONTENT).hexdigest(),
        "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expired": False,
        "proj:code": "EPSG:32610",
        "proj:shape": [2048, 2048],
        "gsd": 10.0,
        "statistics": {"mean": 0.5},
    }


def test_poll_of_a_failed_job(api: APIClient, key: ApiKey) -> None:
    job = at(failed(key), created_at=CREATED, completed_at=CREATED + timedelta(seconds=1))
    answer = api.get(f"{URL}/{job.pk}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "failed"
    assert body["error"] == ERROR
    assert body["result"] is None
    assert body["duration_ms"] == 1000


def test_all_states_show_the_same_fields(api: APIClient, key: ApiKey) -> None:
    bodies = [api.get(f"{URL}/{make(key).pk}").json() for make in (queued, claimed, completed, failed)]
    assert len({frozenset(body) for body in bodies}) == 1


def test_released_job_shows_no_result(api: APIClient, key: ApiKey) -> None:
    job = claimed(key)
    job.release(AWAY, timedelta(0))
    body = api.get(f"{URL}/{job.pk}").json()
    assert body["status"] == "processing", "the status never goes back"
    assert body["result"] is None
    assert datetime.fromisoformat(body["retry"].pop("at")) <= datetime.now(UTC)
    assert body["retry"] == {"code": "PROVIDER_UNAVAILABLE", "reason": "The catalogue is away."}
    assert api.get(URL, {"status": "processing"}).json()["jobs"][0]["job_id"] == job.pk
    assert api.get(URL, {"status": "queued"}).json()["jobs"] == []


def test_queued_job_shows_its_place(api: APIClient, key: ApiKey) -> None:
    first, second = queued(key), queued(key)
    shown = [api.get(f"{URL}/{job.pk}").json() for job in (first, second)]
    assert [body["queue_position"] for body in shown] == [1, 2]
    assert 0 < shown[0]["eta_seconds"] <= shown[1]["eta_seconds"]
    claim_again(first)
    body = api.get(f"{URL}/{first.pk}").json()
    assert (body["queue_position"], body["eta_seconds"]) == (None, None)


def test_duration_runs_from_creation_not_from_the_start(api: APIClient, key: ApiKey) -> None:
    job = at(
        failed(key),
        created_at=CREATED,
        started_at=CREATED + timedelta(minutes=5),
        completed_at=CREATED + timedelta(minutes=5, milliseconds=7),
    )
    assert api.get(f"{URL}/{job.pk}").json()["duration_ms"] == 300_007


# --- Whose job it is ------------------------------------------------------------------------------------------------


def test_job_of_another_account_answers_404_like_a_missing_one(api: APIClient, key: ApiKey) -> None:
    theirs, _ = another_key()
    foreign = api.get(f"{URL}/{completed(theirs).pk}")
    missing = api.get(f"{URL}/job_0000000000000000000000")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content
    assert foreign.json()["error"]["code"] == "NOT_FOUND"


def test_every_key_of_an_account_and_mode_sees_its_jobs(api: APIClient, key: ApiKey) -> None:
    job = queued(key)
    another = APIClient(headers={"authorization": f"Bearer {ApiKey.objects.issue(key.account, 'test')[1]}"})
    assert another.get(f"{URL}/{job.pk}").json() == api.get(f"{URL}/{job.pk}").json()


@pytest.mark.parametrize("job_id", ["job_", "1", "%00", "job_%ff%fe", "%F0%9F%8C%B3", "a" * 3000, "..", "' OR 1=1 --"])
def test_malformed_id_answers_404(api: APIClient, key: ApiKey, job_id: str) -> None:
    answer = api.get(f"{URL}/{job_id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


# --- ETag and Retry-After -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_matching_etag_answers_304(api: APIClient, key: ApiKey, form: str) -> None:
    job = completed(key)
    etag = api.get(f"{URL}/{job.pk}")["ETag"]
    answer = api.get(f"{URL}/{job.pk}", headers={"if-none-match": form.format(etag)})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer["ETag"] == etag


@pytest.mark.parametrize("known", ["", '"x"', '"x", "y"', "nonsense"])
def test_other_etag_returns_the_body(api: APIClient, key: ApiKey, known: str) -> None:
    answer = api.get(f"{URL}/{queued(key).pk}", headers={"if-none-match": known})
    assert answer.status_code == 200


def test_etag_changes_with_anything_that_the_body_shows(api: APIClient, key: ApiKey, clock: Clock) -> None:
    job = queued(key)
    seen: list[str] = []

    def look() -> None:
        headers = {"if-none-match": ", ".join(seen)} if seen else {}
        answer = api.get(f"{URL}/{job.pk}", headers=headers)
        assert answer.status_code == 200, "an etag of before still matches"
        assert api.get(f"{URL}/{job.pk}")["ETag"] == answer["ETag"], "nothing has changed"
        seen.append(answer["ETag"])

    look()
    clock.move(seconds=1)
    taken = claim(job)
    assert taken is not None
    look()
    taken.report_progress(10)
    look()
    taken.report_progress(11)
    look()
    result = {"file:size": 1, "file:checksum": "1220"}
    assert taken.complete(result=result, result_key="jobs/a.tif", warnings=[])
    look()
    clock.move(days=1, seconds=1)
    look()


def test_unfinished_job_has_retry_after(api: APIClient, key: ApiKey) -> None:
    for make in (queued, claimed):
        assert int(api.get(f"{URL}/{make(key).pk}")["Retry-After"]) >= 1
    for make in (completed, failed):
        assert "Retry-After" not in api.get(f"{URL}/{make(key).pk}")


def test_answer_is_for_private_caches_only(api: APIClient, key: ApiKey) -> None:
    answer = api.get(f"{URL}/{queued(key).pk}")
    assert "private" in answer["Cache-Control"]
    assert "Authorization" in answer["Vary"]


# --- Links and expiry -----------------------------------------------------------------------------------------------


def test_links_begin_with_the_public_url(api: APIClient, key: ApiKey, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://astra.example"
    href = api.get(f"{URL}/{completed(key).pk}").json()["result"]["href"]
    assert href.startswith("https://astra.example/files/")


def test_links_begin_with_the_host_of_the_request_without_a_public_url(
    api: APIClient, key: ApiKey, settings: Settings
) -> None:
    settings.PUBLIC_URL = ""
    settings.ALLOWED_HOSTS = ["inner.example"]
    answer = api.get(f"{URL}/{completed(key).pk}", headers={"host": "inner.example:8123"})
    assert answer.json()["result"]["href"].startswith("http://inner.example:8123/files/")


def test_expired_result_keeps_all_fields_but_its_link(
    api: APIClient, key: ApiKey, clock: Clock, settings: Settings, storage: Path
) -> None:
    settings.RESULT_TTL = 3600
    job = completed(key)
    clock.move(minutes=59, seconds=50)
    before = dict(api.get(f"{URL}/{job.pk}").json())
    assert before["result"]["href"] is not None
    at(job, expires_at=datetime.fromisoformat(before["result"]["expires_at"]) - timedelta(seconds=10))
    after = dict(api.get(f"{URL}/{job.pk}").json())
    after["result"]["expires_at"] = before["result"]["expires_at"]
    changed = {"href": None, "preview_url": None, "viewer_url": None, "expired": True, "quality": None, "notes": None}
    assert after == {**before, "result": {**before["result"], **changed}}
    job.forget_result()
    deleted = dict(api.get(f"{URL}/{job.pk}").json())
    deleted["result"]["expires_at"] = before["result"]["expires_at"]
    assert deleted == after, "the deleted file makes no difference"


def test_result_is_kept_for_a_day_by_default(key: ApiKey) -> None:
    job = completed(key)
    assert job.expires_at is not None
    assert job.completed_at is not None
    assert job.expires_at - job.completed_at == timedelta(hours=24)
