"""DELETE /api/v1/process/{job_id}: cancelling a job that is not finished."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import Job
from processing.results import storage_key
from processing.tasks import clean_up
from tests.processing.jobs import (
    HOOK,
    URL,
    another_key,
    claim,
    claimed,
    completed,
    failed,
    files_below,
    queued,
    row,
    take_messages,
    verbs,
)


@pytest.mark.parametrize("make", [queued, claimed])
def test_cancelled_job_is_failed_with_code_canceled(api: APIClient, key: ApiKey, make: object) -> None:
    job: Job = make(key)  # type: ignore[operator]
    answer = api.delete(f"{URL}/{job.pk}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "failed"
    assert body["error"]["code"] == "CANCELED"
    assert body["error"]["message"]
    assert body["error"]["details"]["retryable"] is False
    assert body["completed_at"] is not None
    assert body["result"] is None
    assert api.get(f"{URL}/{job.pk}").json() == body
    assert verbs(job)[-1] == "cancel"


@pytest.mark.parametrize("make", [completed, failed])
def test_finished_job_cannot_be_cancelled(api: APIClient, key: ApiKey, storage: Path, make: object) -> None:
    job: Job = make(key)  # type: ignore[operator]
    before, files = row(job), files_below(storage)
    answer = api.delete(f"{URL}/{job.pk}")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "CONFLICT"
    assert row(job) == before
    assert files_below(storage) == files


def test_job_is_cancelled_only_once(api: APIClient, key: ApiKey) -> None:
    job = queued(key, webhook_url=HOOK)
    assert api.delete(f"{URL}/{job.pk}").status_code == 200
    assert api.delete(f"{URL}/{job.pk}").status_code == 409
    assert verbs(job).count("cancel") == 1
    assert job.deliveries.count() == 1


def test_another_accounts_job_cannot_be_cancelled(api: APIClient, key: ApiKey) -> None:
    theirs, _ = another_key()
    job = queued(theirs)
    foreign = api.delete(f"{URL}/{job.pk}")
    missing = api.delete(f"{URL}/job_0000000000000000000000")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content
    assert verbs(job) == []


def test_cancelled_job_is_not_claimed(api: APIClient, key: ApiKey) -> None:
    job = queued(key)
    api.delete(f"{URL}/{job.pk}")
    assert claim(job) is None
    assert list(Job.objects.due()) == []


def test_worker_of_a_cancelled_job_changes_nothing(api: APIClient, key: ApiKey) -> None:
    worker = claimed(key)
    api.delete(f"{URL}/{worker.pk}")
    before = row(worker)
    assert not worker.heartbeat()
    assert not worker.report_progress(99)
    assert not worker.complete(result={"file:size": 1}, result_key="jobs/late.tif", warnings=[])
    assert not worker.fail({"code": "INTERNAL_ERROR", "message": "late", "details": {}})
    assert row(worker) == before


def test_files_of_a_cancelled_job_are_deleted(api: APIClient, key: ApiKey, storage: Path) -> None:
    worker = claimed(key)
    default_storage.save(storage_key(worker, worker.attempt), ContentFile(b"finished"))
    assert files_below(storage)
    api.delete(f"{URL}/{worker.pk}")
    clean_up()
    assert files_below(storage) == []


def test_cancelling_sends_the_webhook(api: APIClient, key: ApiKey) -> None:
    job = claimed(key, webhook_url=HOOK)
    api.delete(f"{URL}/{job.pk}")
    delivery = job.deliveries.get()
    assert (delivery.event, delivery.url) == ("job.failed", HOOK)
    assert take_messages() == ["deliver"]
