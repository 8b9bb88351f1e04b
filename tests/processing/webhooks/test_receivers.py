"""Receivers that only fail: switched off after five days, shown, and switched on again."""

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import ApiKey
from processing.models import WebhookDelivery, WebhookReceiver
from processing.tasks import deliver
from tests.processing.clock import Clock
from tests.processing.jobs import URL, another_key, failed
from tests.servers import Receiver

from .deliveries import delivery_to, try_now

PING = "/api/v1/webhooks/test"
RECEIVERS = "/admin/processing/webhookreceiver/"


@pytest.fixture
def failing(receiver: Receiver, settings: Settings) -> Receiver:
    """A receiver that answers 500 to one attempt a webhook."""
    receiver.answers = [500]
    settings.WEBHOOK_DELAYS = [86_400]
    return receiver


@pytest.fixture
def switched_off(failing: Receiver, key: ApiKey, clock: Clock) -> WebhookReceiver:
    """A receiver that failed for five days. It has received six webhooks, and works now."""
    fail_for_days(5, key, failing, clock)
    receiver = WebhookReceiver.objects.get()
    assert receiver.switched_off_at is not None
    failing.received.clear()
    failing.answers = [204]
    return receiver


def fail_for_days(days: int, key: ApiKey, receiver: Receiver, clock: Clock) -> None:
    """A new job each day, and an attempt at its end."""
    for day in range(days + 1):
        clock.move(days=1 if day else 0)
        delivery_to(key, f"{receiver.hook}?day={day}")
        while WebhookDelivery.objects.due().exists():
            deliver()


def state_of(api: APIClient, delivery: WebhookDelivery) -> str:
    return str(api.get(f"{URL}/{delivery.job_id}").json()["webhook"]["state"])


def test_receiver_that_fails_for_less_than_five_days_stays_on(key: ApiKey, failing: Receiver, clock: Clock) -> None:
    fail_for_days(4, key, failing, clock)
    assert WebhookReceiver.objects.get().switched_off_at is None


def test_one_success_ends_the_count(key: ApiKey, failing: Receiver, clock: Clock) -> None:
    fail_for_days(4, key, failing, clock)
    failing.answers = [204]
    while WebhookDelivery.objects.due().exists():
        deliver()
    try_now(delivery_to(key, failing.hook), clock)
    failing.answers = [500]
    fail_for_days(4, key, failing, clock)
    assert WebhookReceiver.objects.get().switched_off_at is None


def test_days_without_an_attempt_do_not_count(key: ApiKey, failing: Receiver, clock: Clock, settings: Settings) -> None:
    settings.WEBHOOK_DELAYS = []
    for _ in range(2):
        try_now(delivery_to(key, failing.hook), clock)
        clock.move(days=6)
    assert WebhookReceiver.objects.get().switched_off_at is None


def test_webhooks_of_a_switched_off_receiver_are_held_back_and_shown(
    api: APIClient, key: ApiKey, switched_off: WebhookReceiver, failing: Receiver, clock: Clock, client: Client
) -> None:
    held_back = delivery_to(key, failing.hook)
    clock.move(days=7)
    deliver()
    assert failing.received == []
    assert state_of(api, held_back) == "switched_off"
    assert b"astra_webhook_receivers_switched_off 1.0" in client.get("/metrics").content


def test_receiver_is_switched_off_for_its_account_only(
    switched_off: WebhookReceiver, failing: Receiver, clock: Clock
) -> None:
    key, _ = another_key()
    assert try_now(delivery_to(key, failing.hook), clock).status == "delivered"


def test_staff_see_it_and_switch_it_on_and_what_was_held_back_is_sent_once(
    admin_client: Client, api: APIClient, key: ApiKey, switched_off: WebhookReceiver, failing: Receiver
) -> None:
    held_back = delivery_to(key, failing.hook)
    assert switched_off.host in admin_client.get(RECEIVERS, {"switched_off_at__isempty": "0"}).content.decode()
    admin_client.post(RECEIVERS, {"action": "switch_on", "_selected_action": [str(switched_off.pk)]})
    while WebhookDelivery.objects.due().exists():
        deliver()
    assert state_of(api, held_back) == "delivered"
    sent = [headers["webhook-id"] for headers, _ in failing.received]
    assert held_back.message_id in sent
    assert len(sent) == len(set(sent))
    switched_off.refresh_from_db()
    assert (switched_off.switched_off_at, switched_off.failing_since) == (None, None)


def test_successful_ping_switches_it_on(
    api: APIClient, key: ApiKey, switched_off: WebhookReceiver, failing: Receiver, clock: Clock
) -> None:
    held_back = delivery_to(key, failing.hook)
    failing.answers = [500]
    assert not api.post(PING, {"url": failing.hook}, format="json").json()["delivered"]
    assert state_of(api, held_back) == "switched_off"
    failing.received.clear()
    failing.answers = [204]
    assert api.post(PING, {"url": failing.hook}, format="json").json()["delivered"]
    assert state_of(api, held_back) == "pending"


def test_new_job_does_not_switch_it_on(key: ApiKey, switched_off: WebhookReceiver, failing: Receiver) -> None:
    failed(key, webhook_url=failing.hook)
    deliver()
    switched_off.refresh_from_db()
    assert switched_off.switched_off_at is not None


def test_webhook_that_staff_send_again_goes_out_and_its_success_switches_on(
    key: ApiKey, switched_off: WebhookReceiver, failing: Receiver, clock: Clock
) -> None:
    held_back = delivery_to(key, failing.hook)
    held_back.send_again()
    held_back.refresh_from_db()
    assert try_now(held_back, clock).status == "delivered"
    switched_off.refresh_from_db()
    assert switched_off.switched_off_at is None
