"""DELETE /api/v1/process/{job_id}/result: the owner's file goes now, and the job stays."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.tasks import expire_results
from tests.processing.conftest import use_storage
from tests.processing.jobs import (
    URL,
    another_key,
    claimed,
    completed,
    failed,
    files_below,
    queued,
    take_messages,
    verbs,
)


def test_file_and_links_are_gone_and_the_job_stays(
    api: APIClient,
    client: Client,
    key: ApiKey,
    storage: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    job, other = completed(key), completed(key)
    href = api.get(f"{URL}/{job.pk}").json()["result"]["href"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.delete(f"{URL}/{job.pk}/result")
    assert answer.status_code == 200
    for body in (answer.json(), api.get(f"{URL}/{job.pk}").json()):
        assert (body["status"], body["result"]["href"], body["result"]["expired"]) == ("completed", None, True)
        assert body["result"]["statistics"] == {"mean": 0.5}
    assert client.get(href).status_code == 410
    assert take_messages() == ["expire_results"]
    expire_results()
    assert files_below(storage) == [storage / other.result_key]
    assert verbs(job)[-2:] == ["discard", "expire"]


def test_file_that_the_storage_keeps_for_now_is_deleted_later(
    api: APIClient, key: ApiKey, storage: Path, settings: Settings
) -> None:
    job, working = completed(key), settings.STORAGES
    settings.STORAGES = use_storage(settings, "tests.processing.storages.KeepingAll", storage)
    assert api.delete(f"{URL}/{job.pk}/result").status_code == 200
    expire_results()
    assert api.get(f"{URL}/{job.pk}").json()["result"]["href"] is None
    settings.STORAGES = working
    expire_results()
    assert files_below(storage) == []


def test_second_delete_says_that_the_result_is_gone(api: APIClient, key: ApiKey) -> None:
    job = completed(key)
    assert api.delete(f"{URL}/{job.pk}/result").status_code == 200
    again = api.delete(f"{URL}/{job.pk}/result")
    assert (again.status_code, again.json()["error"]["code"]) == (410, "EXPIRED")
    assert verbs(job).count("discard") == 1


@pytest.mark.parametrize("state", [queued, claimed, failed])
def test_job_without_a_result_is_a_conflict(api: APIClient, key: ApiKey, state: type) -> None:
    answer = api.delete(f"{URL}/{state(key).pk}/result")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


def test_result_of_another_account_is_not_found(api: APIClient, storage: Path) -> None:
    job = completed(another_key()[0])
    assert api.delete(f"{URL}/{job.pk}/result").status_code == 404
    assert files_below(storage) == [storage / job.result_key]
