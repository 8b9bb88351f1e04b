"""Every answer says which request it answers and which version did, and every request is one line of the log."""

import gzip
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

import astra
from accounts.models import Account, ApiKey
from astra.logs import Lines
from tests.processing.jobs import EXAMPLE, URL, completed

ADDRESSES = ["/healthz", "/nothing", URL, "/", "/admin/login/", "/static/admin/css/base.css", "/static/nothing.css"]


@pytest.fixture
def key(account: Account, test_key: str) -> ApiKey:
    return account.api_keys.get()


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


# --- Headers --------------------------------------------------------------------------------------------------------


def test_json_above_1_kib_is_compressed_for_those_who_accept_it(api: APIClient) -> None:
    plain = api.get("/api/v1/operations")
    answer = api.get("/api/v1/operations", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain["Vary"]
    assert len(answer.content) == int(answer["Content-Length"]) < len(plain.content) / 2
    assert gzip.decompress(answer.content) == plain.content
    assert "Content-Encoding" not in plain


@pytest.mark.parametrize("address", ["/healthz", URL, "/static/admin/css/base.css", "/admin/login/"])
def test_short_answers_and_pages_are_sent_as_they_are(api: APIClient, address: str) -> None:
    answer = api.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer


def test_etag_of_a_compressed_answer_finds_its_answer(api: APIClient, key: ApiKey) -> None:
    address = f"{URL}/{completed(key, params={'filling': 'x' * 2000}).pk}"
    compressed = api.get(address, headers={"Accept-Encoding": "gzip"})
    assert compressed["ETag"] == f"W/{api.get(address)['ETag']}"
    again = api.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": compressed["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", [URL, "/api/v1/nothing", "/files/a.tif", "/api/v1/operations"])
def test_page_of_any_origin_may_call(api: APIClient, client: Client, address: str) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    preflight = client.options(address, headers=asked)
    assert preflight.status_code == 200
    assert preflight["Access-Control-Allow-Origin"] == "*"
    assert "Content-Type" not in preflight
    allowed = set(preflight["Access-Control-Allow-Headers"].split(", "))
    wanted = {"authorization", "content-type", "idempotency-key", "prefer", "range", "if-none-match"}
    assert wanted <= allowed
    assert {"GET", "POST", "DELETE"} <= set(preflight["Access-Control-Allow-Methods"].split(", "))
    assert int(preflight["Access-Control-Max-Age"]) > 0
    answer = api.get(address, headers={"Origin": "https://app.example"})
    assert answer["Access-Control-Allow-Origin"] == "*"
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Content-Range", "Accept-Ranges", "Location", "Retry-After", "X-Request-Id"} <= exposed
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Content-Length"} <= exposed
    assert "Access-Control-Allow-Credentials" not in answer


def test_origins_can_be_narrowed(api: APIClient, settings: Settings) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOWED_ORIGINS = False, ["https://app.example"]
    ours = api.get(URL, headers={"Origin": "https://app.example"})
    assert ours["Access-Control-Allow-Origin"] == "https://app.example"
    for other in ("https://evil.example", "null", "https://app.example.evil", "http://app.example", "https://["):
        assert "Access-Control-Allow-Origin" not in api.get(URL, headers={"Origin": other})


@pytest.mark.parametrize("address", ["/admin/login/", "/healthz", "/metrics"])
def test_other_addresses_are_for_no_other_origin(client: Client, db: None, address: str) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(address, headers={"Origin": "https://app.example"})


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_a_policy_without_inline_scripts(client: Client, db: None, address: str) -> None:
    policy = client.get(address)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_pages_of_the_admin_have_no_script_or_style_inside(admin_client: Client, key: ApiKey) -> None:
    job = completed(key)
    pages = ["", "processing/job/", f"processing/job/{job.pk}/change/", "accounts/account/", "accounts/account/add/"]
    for page in pages:
        html = admin_client.get(f"/admin/{page}").content.decode()
        assert "<html" in html
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=", html), page
        assert all(link.startswith("/") for link in re.findall(r"<(?:script|img)[^>]*src=\"([^\"]*)", html))


@pytest.mark.parametrize("address", [*ADDRESSES, "/api/v1/operations"])
def test_head_answers_as_get_without_the_content(api: APIClient, address: str) -> None:
    got, head = api.get(address), api.head(address)
    assert head.status_code == got.status_code
    assert head["Content-Length"] == got["Content-Length"]
    assert head.getvalue() == b""


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "is_page"), [("/api/v1/operations", False), (URL, False), ("/admin/login/", True)])
def test_only_pages_have_sessions_and_logins(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, is_page: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(SessionMiddleware, "process_request", lambda self, request: asked.append("session"))
    monkeypatch.setattr(AuthenticationMiddleware, "process_request", lambda self, request: asked.append("login"))
    with suppress(ImproperlyConfigured):  # the page misses its session
        client.get(path)
    assert asked == (["session", "login"] if is_page else [])
