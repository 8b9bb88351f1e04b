"""`POST /api/v1/webhooks/test`: one signed ping, at once."""

import threading
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from accounts.models import Account
from processing.models import WebhookDelivery
from processing.models.webhook_attempts import WebhookAttempt
from tests.answers import Answer, assert_error, client_with
from tests.processing.jobs import all_at_once
from tests.raster.support.misbehaving import AnyServer, redirect
from tests.servers import Receiver, free_port, wait_until

PING = "/api/v1/webhooks/test"


def ping(api: APIClient, url: Any) -> Answer:
    return api.post(PING, {"url": url}, format="json")


def test_ping_is_signed_and_answered(api: APIClient, account: Account, receiver: Receiver) -> None:
    answer = ping(api, receiver.hook).json()
    ((headers, body),) = receiver.received
    assert Webhook(account.webhook_secret).verify(body, headers)["event"] == "ping"
    assert set(answer) == {"delivered", "response_status", "milliseconds", "note", "headers"}
    assert (answer["delivered"], answer["response_status"], answer["note"]) == (True, 204, "")
    assert 0 <= answer["milliseconds"] < 5000
    assert {name.lower(): value for name, value in answer["headers"].items()}.items() <= headers.items()
    assert not WebhookDelivery.objects.exists()
    assert not WebhookAttempt.objects.exists()


@pytest.mark.parametrize("status", [302, 400, 410, 429, 500])
def test_other_answers_are_told(api: APIClient, receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    answer = ping(api, receiver.hook).json()
    assert (answer["delivered"], answer["response_status"]) == (False, status)
    assert len(receiver.received) == 1


def test_receiver_that_is_down_is_told(api: APIClient, settings: Settings) -> None:
    host = f"127.0.0.1:{free_port()}"
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({host})
    answer = ping(api, f"http://{host}/").json()
    assert (answer["delivered"], answer["response_status"]) == (False, None)
    assert "connection" in answer["note"]


def test_redirect_is_not_followed(api: APIClient, settings: Settings, receiver: Receiver) -> None:
    with AnyServer(redirect(receiver.hook, 307)) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host, receiver.host})
        assert "redirect" in ping(api, server.url).json()["note"]
    assert receiver.received == []


@pytest.mark.parametrize(
    "body", [{}, {"url": None}, {"url": 5}, {"url": "x" * 3000}, [], "text", {"url": "https://[::1]/"}]
)
def test_body_without_a_good_url_is_refused(api: APIClient, body: Any) -> None:
    assert_error(api.post(PING, body, format="json"), 400, "VALIDATION_ERROR")


def test_every_fault_is_named(api: APIClient) -> None:
    error = assert_error(api.post(PING, {"url": "http://a.example/", "other": 1}, format="json"), 400)
    assert {fault["parameter"] for fault in error["details"]["errors"]} == {"url", "other"}


def test_key_is_needed(db: None) -> None:
    assert_error(ping(APIClient(), "https://a.example/"), 401, "UNAUTHORIZED")


@pytest.mark.django_db(transaction=True)
def test_third_at_once_is_told_to_come_back(test_key: str, settings: Settings) -> None:
    go_on = threading.Event()

    def late(handler: Any) -> None:
        go_on.wait(8)
        handler.send_response(204)
        handler.end_headers()

    with AnyServer(late) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})

        def one(number: int) -> Answer:
            if number == 2:
                wait_until(lambda: len(server.asked) == 2)
            answer = ping(client_with(test_key), server.url)
            if number == 2:
                go_on.set()
            return answer

        *answered, refused = all_at_once(3, one)
        assert [answer.json()["delivered"] for answer in answered] == [True, True]
        assert_error(refused, 429, "RATE_LIMITED")
        assert int(refused["Retry-After"]) >= 1
        assert ping(client_with(test_key), server.url).json()["delivered"], "later there is room again"
