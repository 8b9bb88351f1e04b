"""With DEBUG on, Django's debug pages show no password; with DEBUG off there are none."""

import sys
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views.debug import technical_500_response
from pytest_django import Settings

PASSWORD = "correct-horse-battery"
BROKER = f"redis://:{PASSWORD}@127.0.0.1:6379/0"
WRONG_HOST = {"host": "x"}


class Connection:
    """An object whose text holds a password, as that of many clients does."""

    def __repr__(self) -> str:
        return f"<Connection {BROKER}>"


@pytest.fixture
def secrets(settings: Settings) -> Settings:
    """Settings that hold a password in every form that ours have, and one that holds none."""
    settings.DEBUG = True
    settings.REDIS_URL = settings.CELERY_BROKER_URL = BROKER
    settings.SECRET_KEY = settings.KEY_PEPPER = PASSWORD
    settings.SCENE_S3 = {"access_key": PASSWORD, "secret_key": PASSWORD, "region": PASSWORD}
    settings.STORAGES = {**settings.STORAGES, "s3": {"OPTIONS": {"secret_key": PASSWORD}}}
    settings.STAC_ROOTS = {"landsat": (f"https://user:{PASSWORD}@stac.example",), "sentinel-2": ["https://a.example"]}
    settings.LIST_OF_URLS = [{"first": BROKER}]
    return settings


def page_of_an_error(request: Any) -> str:
    """The debug page of an exception among whose variables there are passwords."""

    def connect(url: str) -> None:
        client, options = Connection(), {"broker": [url]}
        raise RuntimeError(f"no answer from {len(options)} {type(client).__name__}")

    try:
        connect(BROKER)
    except RuntimeError:
        answer: HttpResponse = technical_500_response(request, *sys.exc_info())
    return answer.content.decode()


def test_debug_page_shows_settings_without_passwords(rf: RequestFactory, secrets: Settings) -> None:
    page = page_of_an_error(rf.get("/"))
    assert "CELERY_BROKER_URL" in page
    assert "SCENE_S3" in page
    assert "https://a.example" in page
    assert PASSWORD not in page


def test_debug_page_of_an_exception_shows_no_password_among_its_variables(
    rf: RequestFactory, secrets: Settings
) -> None:
    request = rf.get("/", headers={"authorization": f"Bearer {PASSWORD}"})
    request.META["DATABASE_URL"] = f"postgres://astra:{PASSWORD}@db.example/jobs"
    page = page_of_an_error(request)
    assert "no answer from 1 Connection" in page
    assert "options" in page
    assert "DATABASE_URL" in page
    assert PASSWORD not in page


def test_debug_page_as_text_shows_no_password(rf: RequestFactory, secrets: Settings) -> None:
    request = rf.get("/", headers={"accept": "text/plain"})
    page = page_of_an_error(request)
    assert "CELERY_BROKER_URL" in page
    assert PASSWORD not in page


def test_without_debug_a_wrong_host_is_answered_in_json(client: Client) -> None:
    answer = client.get("/healthz", headers=WRONG_HOST)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_without_debug_an_exception_outside_of_the_api_is_answered_in_json(admin_client: Client) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("oops")

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(fail):
        answer = admin_client.get("/admin/")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("path", ["admin/css/base.css", "admin/js/actions.js"])
def test_without_debug_the_admins_static_files_are_served(client: Client, path: str) -> None:
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 200
    assert len(b"".join(answer)) > 100


def test_debug_page_shows_no_api_key(rf: RequestFactory, settings: Settings, test_key: str) -> None:
    settings.DEBUG = True
    try:
        raise ValueError(f"no such key: {test_key}")
    except ValueError:
        for headers in ({"Accept": "text/html"}, {"Accept": "text/plain"}):
            request = rf.get(f"/?key={test_key}", headers={**headers, "Authorization": f"Bearer {test_key}"})
            page = technical_500_response(request, *sys.exc_info()).content.decode()
            assert "no such key: astra_sk_test_..." in page
            assert test_key[14:] not in page
