"""Every answer says which request it answers and which version did, and every request is one line of the log."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.test import Client
from rest_framework.test import APIClient

import astra
from astra.logs import Lines
from tests.processing.jobs import EXAMPLE, URL

ADDRESSES = ["/healthz", "/nothing", URL, "/", "/admin/login/", "/static/admin/css/base.css", "/static/nothing.css"]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the service logs, as `up` shows it."""
    out = StringIO()
    handler, root, ours = logging.StreamHandler(out), logging.getLogger(), logging.getLogger("astra.requests")
    handler.setFormatter(Lines())
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield out
    ours.setLevel(logging.NOTSET)
    root.removeHandler(handler)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_names_its_request_and_the_version(client: Client, db: None, address: str) -> None:
    answer = client.get(address, headers={"X-Request-Id": "from.caller_7-a"})
    assert answer["X-Request-Id"] == "from.caller_7-a"
    assert answer["X-Astra-Version"] == astra.__version__


def test_answers_of_the_framework_name_their_request_too(client: Client) -> None:
    answer = client.get("/healthz", headers={"Host": "evil.example", "X-Request-Id": "a"})
    assert (answer.status_code, answer["X-Request-Id"]) == (400, "a")


@pytest.mark.parametrize("sent", ["", " ", "a b", "a\n", "ä", "x" * 65, "<script>", "a;b"])
def test_improper_id_is_replaced(client: Client, sent: str) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": sent})["X-Request-Id"]
    assert given != sent
    assert len(given) == 32


def test_requests_without_an_id_get_different_ones(client: Client) -> None:
    assert len({client.get("/healthz")["X-Request-Id"] for _ in range(3)}) == 3


def test_every_line_of_a_request_names_it_and_none_shows_its_query(client: Client, log: StringIO) -> None:
    client.get("/files/jobs%0Aforged%20line?sig=secret", headers={"X-Request-Id": "night-7"})
    logging.getLogger().warning("afterwards")
    ours, django, afterwards = log.getvalue().splitlines()
    assert "INFO astra.requests: GET /files/jobs%0Aforged%20line 404 in " in ours
    assert "WARNING django.request: " in django
    assert ours.endswith(" request_id=night-7")
    assert django.endswith(" request_id=night-7")
    assert afterwards.endswith(" afterwards")
    assert "secret" not in log.getvalue()


def test_probes_that_go_well_are_not_logged(client: Client, log: StringIO) -> None:
    client.get("/healthz")
    assert log.getvalue() == ""


def test_line_of_a_submit_names_the_job(api: APIClient, log: StringIO) -> None:
    job = api.post(URL, EXAMPLE, format="json", headers={"X-Request-Id": "night-7"}).json()["job_id"]
    (line,) = [line for line in log.getvalue().splitlines() if "astra.requests" in line]
    assert line.endswith(f" job_id={job} request_id=night-7")
