"""No request, however odd, is answered by anything but the API's own answers. `python -m bench.fuzz` sends more."""

import os
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Account, ApiKey
from processing.models import Job
from processing.signed_links import signed_query
from tests.fuzzing import Known, Request, Tally, requests_of, send
from tests.processing.conftest import use_storage
from tests.processing.jobs import URL, claimed, completed, failed, queued

CASES = int(os.environ.get("FUZZ_CASES", "300"))


@pytest.fixture
def known(api: APIClient, account: Account, test_key: str, settings: Settings, tmp_path: Any, sandbox: Any) -> Known:
    settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", tmp_path / "results")
    settings.SANDBOX_DIR = sandbox
    key = account.api_keys.get()
    kept, gone, lost = completed(key), completed(key), completed(key)
    links = [_link(api, job) for job in (kept, gone, lost)]
    assert gone.discard_result()
    default_storage.delete(lost.result_key)
    links.append(f"/files/{kept.result_key}?{signed_query(kept.result_key, 1)}")
    jobs = [gone, completed(key), queued(key), queued(key), claimed(key), failed(key)]
    lesser = [ApiKey.objects.issue(account, "test", scope=scope)[1] for scope in ("read", "process")]
    lesser.append(ApiKey.objects.issue(account, "live")[1])
    return Known(key=test_key, lesser_keys=lesser, job_ids=[job.pk for job in jobs], links=links)


def _link(api: APIClient, job: Job) -> str:
    href = urlsplit(api.get(f"{URL}/{job.pk}").json()["result"]["href"])
    return f"{href.path}?{href.query}"


def test_every_answer_is_one_of_ours(known: Known) -> None:
    client, tally = Client(raise_request_exception=False), Tally()

    @hypothesis.settings(max_examples=CASES, database=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(requests_of(known))
    def run(request: Request) -> None:
        send(client, request, tally)

    run()
    assert {200, 400, 404, 405} <= set(tally.statuses), "the requests reach the views"
    seconds, request = tally.slowest
    print(f"\n{sum(tally.statuses.values())} answers, the slowest in {seconds:.2f} s to {request}: {tally.statuses}")
