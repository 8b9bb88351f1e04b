"""How many statements of SQL the commonest requests take, without those that begin and end transactions."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import ApiKey
from tests.processing.jobs import EXAMPLE, HOOK, URL, completed, queued


def statements(request: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        request()
    begins = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
    return [query["sql"] for query in captured if not query["sql"].startswith(begins)]


@pytest.mark.django_db(transaction=True)
def test_submit_takes_three(api: APIClient) -> None:
    api.get(URL)  # writes when the key was last used, which it does every five minutes
    assert len(statements(lambda: api.post(URL, EXAMPLE, format="json"))) == 3


@pytest.mark.parametrize("webhook_url", [None, HOOK])
def test_poll_of_a_finished_job_takes_two(api: APIClient, key: ApiKey, webhook_url: str | None) -> None:
    job = completed(key, webhook_url=webhook_url)
    api.get(URL)
    assert len(statements(lambda: api.get(f"{URL}/{job.pk}"))) == 2


def test_place_in_the_queue_is_not_worked_out_at_every_poll(api: APIClient, key: ApiKey) -> None:
    job = queued(key)
    api.get(f"{URL}/{job.pk}")
    assert len(statements(lambda: api.get(f"{URL}/{job.pk}"))) == 2


def test_list_takes_two(api: APIClient, key: ApiKey) -> None:
    for _ in range(5):
        completed(key, webhook_url=HOOK)
    api.get(URL)
    assert len(statements(lambda: api.get(URL))) == 2
