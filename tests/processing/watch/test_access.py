"""Who may read the metrics."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.answers import assert_error

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def with_token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_needs_no_token(client: Client, db: None, address: str) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("address", ["10.0.0.7", "192.0.2.1", "::ffff:10.0.0.7", "2001:db8::1", "", "nonsense"])
def test_other_machines_need_a_token(client: Client, address: str) -> None:
    assert_error(client.get("/metrics", REMOTE_ADDR=address), 403, "FORBIDDEN")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize("value", ["127.0.0.1", ""])
def test_request_through_a_proxy_needs_a_token(client: Client, header: str, value: str) -> None:
    assert_error(client.get("/metrics", headers={header: value}), 403, "FORBIDDEN")


def test_behind_a_known_proxy_everyone_needs_a_token(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    assert_error(client.get("/metrics"), 403, "FORBIDDEN")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_token_opens_from_anywhere(client: Client, db: None, with_token: None, scheme: str) -> None:
    extra: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "192.0.2.2"}
    assert client.get("/metrics", headers={"Authorization": f"{scheme} {TOKEN}"}, **extra).status_code == 200


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ä"]
)
def test_token_that_is_set_is_needed_by_all(client: Client, with_token: None, sent: str) -> None:
    assert_error(client.get("/metrics", headers={"Authorization": sent}), 403, "FORBIDDEN")


def test_api_key_is_no_token_of_the_metrics(client: Client, with_token: None, test_key: str) -> None:
    assert_error(client.get("/metrics", headers={"Authorization": f"Bearer {test_key}"}), 403, "FORBIDDEN")
