"""No request, however odd, is answered by anything but the API's own answers. `python -m bench.fuzz` sends more."""

import os
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Account
from tests.fuzzing import Known, Request, Tally, requests_of, send
from tests.processing.conftest import use_storage
from tests.processing.jobs import URL, claimed, completed, failed, queued

CASES = int(os.environ.get("FUZZ_CASES", "300"))


@pytest.fixture
def known(api: APIClient, account: Account, test_key: str, settings: Settings, tmp_path: Any, sandbox: Any) -> Known:
    settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", tmp_path / "results")
    settings.SANDBOX_DIR = sandbox
    key = account.api_keys.get()
    jobs = [completed(key), queued(key), claimed(key), failed(key)]
    href = urlsplit(api.get(f"{URL}/{completed(key).pk}").json()["result"]["href"])
    return Known(key=test_key, job_ids=[job.pk for job in jobs], link=f"{href.path}?{href.query}")


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
