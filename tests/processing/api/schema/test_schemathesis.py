"""What schemathesis makes of the document is answered as the document says. `python -m bench.schemathesis` sends more.

All its checks but one: what fits the schema may still be refused, as it may name a scene that nobody has.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import strategies as st
from pytest_django import Settings
from requests import Request
from rest_framework.test import APIClient
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.models import ApiKey
from tests.counts import forget_counts
from tests.processing.conftest import use_storage
from tests.processing.jobs import URL, claimed, completed, failed, queued

# The handler closes its connection after each request, as it does in a web process.
pytestmark = pytest.mark.django_db(transaction=True)

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "150"))


@pytest.fixture
def known(api: APIClient, key: ApiKey, settings: Settings, sandbox: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Parameters of what is there to be found: jobs in every state, and links to files."""
    settings.SANDBOX_DIR, settings.ALLOWED_HOSTS = sandbox, ["testserver", "localhost"]
    settings.STORAGES = use_storage(settings, "processing.local_storage.SignedLocalStorage", tmp_path / "results")
    kept, gone = completed(key), completed(key)
    links = [urlsplit(api.get(f"{URL}/{job.pk}").json()["result"]["href"]) for job in (kept, gone)]
    assert gone.discard_result()
    of_links = [{"key": link.path.removeprefix("/files/"), **dict(parse_qsl(link.query))} for link in links]
    jobs = [kept, gone, completed(key), queued(key), queued(key), claimed(key), failed(key)]
    return [*({"job_id": job.pk} for job in jobs), *of_links]


def found(case: Case[Any], known: list[dict[str, Any]], number: int) -> Case[Any]:
    """The same request for something that is there, if it asks for a thing of its kind."""
    for parameters in known[number:] + known[:number]:
        if set(parameters) & set(case.path_parameters):
            of_path = {name: value for name, value in parameters.items() if name in case.path_parameters}
            case.path_parameters = {**case.path_parameters, **of_path}
            of_query = {name: value for name, value in parameters.items() if name not in of_path}
            case.query = {**(case.query or {}), **of_query}
            break
    return case


def requests_of(schema: schemathesis.BaseSchema, known: list[dict[str, Any]]) -> st.SearchStrategy[Case[Any]]:
    fitting = schema.as_strategy(GenerationMode.POSITIVE)
    wrong = schema.as_strategy(GenerationMode.NEGATIVE).filter(is_sent_whole)
    there = st.builds(found, fitting, st.just(known), st.integers(0, len(known) - 1))
    return st.one_of(fitting, there, wrong)


def is_sent_whole(case: Case[Any]) -> bool:
    """A parameter that is an empty list is not sent: without it, what is meant to be wrong may be right."""
    return all(
        "?" in str(Request("GET", "http://a/", params={"a": value}).prepare().url) for value in case.query.values()
    )


def test_every_answer_is_described(test_key: str, known: list[dict[str, Any]]) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    headers = {"Authorization": f"Bearer {test_key}", "Accept-Encoding": "identity"}  # werkzeug unpacks nothing
    statuses: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=CASES, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(requests_of(schema, known))
    def run(case: Case[Any]) -> None:
        forget_counts()  # it sends a wrong key with each request, and many of them are 429
        answer = case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        statuses[answer.status_code] += 1

    run()
    print(f"\n{statuses.total()} answers: {dict(sorted(statuses.items()))}")
    assert {200, 400, 404} <= set(statuses), "the requests reach the views"
