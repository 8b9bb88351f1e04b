"""Webhooks, sent to a real receiver: what it receives, and what its answer means."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from accounts.models import Account, ApiKey
from processing.models import WebhookDelivery
from processing.tasks import deliver
from tests.accounts.clock import Clock as SignersClock
from tests.processing.clock import Clock
from tests.processing.jobs import HOOK, URL, all_at_once, claim_again, completed, failed, finish
from tests.servers import Receiver, free_port


@pytest.fixture(scope="module")
def running_receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def receiver(running_receiver: Receiver, settings: Settings) -> Receiver:
    """A receiver on this machine that the operator allows. It has received nothing yet."""
    settings.PRIVATE_HOSTS = frozenset({running_receiver.host})
    running_receiver.received.clear()
    running_receiver.answers = [204]
    return running_receiver


def delivery_to(key: ApiKey, url: str) -> WebhookDelivery:
    return failed(key, webhook_url=url).deliveries.get()


def try_now(delivery: WebhookDelivery, clock: Clock) -> WebhookDelivery:
    """Make the next attempt when it is due."""
    clock.move(seconds=max(0.0, seconds_until(delivery.next_attempt_at) + 0.01))
    deliver()
    delivery.refresh_from_db()
    return delivery


def seconds_until(time: datetime) -> float:
    return (time - datetime.now(UTC)).total_seconds()


# --- What is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [completed, failed])
def test_body_equals_that_of_a_poll_byte_for_byte(
    api: APIClient, key: ApiKey, receiver: Receiver, make: object
) -> None:
    job = make(key, webhook_url=receiver.hook)  # type: ignore[operator]
    deliver()
    ((headers, body),) = receiver.received
    assert body == api.get(f"{URL}/{job.pk}").content
    assert headers["content-type"] == "application/json"


def test_signature_passes_the_library_for_receivers(account: Account, key: ApiKey, receiver: Receiver) -> None:
    delivery_to(key, receiver.hook)
    deliver()
    ((headers, body),) = receiver.received
    Webhook(account.webhook_secret).verify(body, headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(account.webhook_secret).verify(body + b" ", headers)


def test_signature_equals_one_computed_by_hand(account: Account, key: ApiKey, receiver: Receiver) -> None:
    delivery_to(key, receiver.hook)
    deliver()
    ((headers, body),) = receiver.received
    prefix, _, encoded = account.webhook_secret.partition("_")
    secret = base64.b64decode(encoded)
    assert (prefix, len(secret)) == ("whsec", 32)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"].split() == [f"v1,{expected}"]


def test_every_account_has_its_own_secret() -> None:
    assert Account(name="a").webhook_secret != Account(name="b").webhook_secret


def test_id_stays_the_same_and_the_timestamp_changes_with_the_attempt(
    key: ApiKey, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers = [500, 503, 204]
    delivery, times, signers = delivery_to(key, receiver.hook), [], SignersClock(monkeypatch)
    for _ in range(3):
        signers.move(seconds=10)
        try_now(delivery, clock)
        times.append(str(int(signers.now.timestamp())))
    sent = [headers for headers, _ in receiver.received]
    assert {headers["webhook-id"] for headers in sent} == {delivery.message_id}
    assert [headers["webhook-timestamp"] for headers in sent] == times
    assert len(set(times)) == 3
    assert len({headers["webhook-signature"] for headers in sent}) == 3


def test_two_deliveries_have_two_ids(key: ApiKey, receiver: Receiver) -> None:
    for _ in range(2):
        delivery_to(key, receiver.hook)
        deliver()
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 2


# --- What an answer means -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_answer_ends_the_delivery(key: ApiKey, receiver: Receiver, clock: Clock, status: int) -> None:
    receiver.answers = [status]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    assert delivery.status == "delivered"
    clock.move(days=7)
    try_now(delivery, clock)
    assert len(receiver.received) == 1
    assert [(one.number, one.response_status) for one in delivery.tries.all()] == [(1, status)]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again(key: ApiKey, receiver: Receiver, clock: Clock, status: int) -> None:
    receiver.answers = [status, 204]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    assert delivery.status == "pending"
    assert seconds_until(delivery.next_attempt_at) > 0
    assert try_now(delivery, clock).status == "delivered"
    assert [one.response_status for one in delivery.tries.all()] == [status, 204]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed_but_tried_again(key: ApiKey, receiver: Receiver, clock: Clock, status: int) -> None:
    receiver.answers = [status, 204]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    assert len(receiver.received) == 1
    assert delivery.status == "pending"
    assert "redirect" in delivery.tries.get().note
    assert try_now(delivery, clock).status == "delivered"


def test_answer_410_ends_the_delivery(key: ApiKey, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [410, 204]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    assert delivery.status == "given up"
    clock.move(days=7)
    try_now(delivery, clock)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1", "https://127.0.0.1", "https://localhost", "https://0x7f.1"])
def test_private_address_is_never_called(
    key: ApiKey, receiver: Receiver, settings: Settings, clock: Clock, address: str
) -> None:
    settings.PRIVATE_HOSTS = frozenset()
    port = receiver.host.partition(":")[2]
    delivery = try_now(delivery_to(key, f"{address}:{port}/hook"), clock)
    assert receiver.received == []
    assert delivery.status == "given up"
    assert delivery.tries.get().note


@pytest.mark.parametrize(
    "url", ["https://" + "a" * 64 + ".example/hook", "https://[::1", "https://a b.example/", "nonsense"]
)
def test_url_that_cannot_be_called_counts_as_an_attempt(key: ApiKey, clock: Clock, url: str) -> None:
    delivery = try_now(delivery_to(key, url), clock)
    assert delivery.tries.count() == 1


# --- Trying again ---------------------------------------------------------------------------------------------------


def test_receiver_that_is_down_is_tried_with_growing_delays_and_then_given_up(
    key: ApiKey, settings: Settings, clock: Clock
) -> None:
    host = f"127.0.0.1:{free_port()}"
    settings.PRIVATE_HOSTS = frozenset({host})
    settings.WEBHOOK_DELAYS = [5, 60, 3600]
    delivery = delivery_to(key, f"http://{host}/hook")
    delays: list[float] = []
    while delivery.status == "pending" and len(delays) < 10:
        try_now(delivery, clock)
        delays.append(seconds_until(delivery.next_attempt_at))
    assert delivery.status == "given up"
    assert delays[:-1] == pytest.approx(settings.WEBHOOK_DELAYS, abs=3)
    assert delivery.tries.count() == 4
    assert all(one.response_status is None and one.note for one in delivery.tries.all())


def test_default_delays_last_about_three_days(settings: Settings) -> None:
    total = timedelta(seconds=sum(settings.WEBHOOK_DELAYS))
    assert timedelta(days=2.5) <= total <= timedelta(days=3.5)


def test_receiver_that_works_again_gets_the_same_message(
    key: ApiKey, receiver: Receiver, settings: Settings, clock: Clock
) -> None:
    down = f"127.0.0.1:{free_port()}"
    settings.PRIVATE_HOSTS = frozenset({down, receiver.host})
    delivery = try_now(delivery_to(key, f"http://{down}/hook"), clock)
    assert delivery.status == "pending"
    WebhookDelivery.objects.filter(pk=delivery.pk).update(url=receiver.hook)
    assert try_now(delivery, clock).status == "delivered"
    assert [headers["webhook-id"] for headers, _ in receiver.received] == [delivery.message_id]


def test_nothing_is_sent_before_the_next_attempt_is_due(key: ApiKey, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [500]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    clock.move(seconds=seconds_until(delivery.next_attempt_at) - 1)
    deliver()
    assert len(receiver.received) == 1


def test_attempt_of_a_lost_worker_comes_due_again(key: ApiKey, receiver: Receiver, clock: Clock) -> None:
    delivery = delivery_to(key, receiver.hook)
    assert WebhookDelivery.objects.claim_next() == delivery
    deliver()
    assert receiver.received == []
    clock.move(hours=1)
    deliver()
    assert len(receiver.received) == 1


def test_delivery_that_staff_send_again_keeps_its_id(key: ApiKey, receiver: Receiver, clock: Clock) -> None:
    receiver.answers = [410, 204]
    delivery = try_now(delivery_to(key, receiver.hook), clock)
    delivery.send_again()
    delivery.refresh_from_db()
    assert try_now(delivery, clock).status == "delivered"
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert delivery.tries.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_sends_the_webhook(key: ApiKey, receiver: Receiver) -> None:
    delivery = delivery_to(key, receiver.hook)
    all_at_once(6, lambda _: deliver())
    assert len(receiver.received) == 1
    assert delivery.tries.count() == 1


def test_retry_by_staff_does_not_change_what_was_announced(
    api: APIClient, key: ApiKey, receiver: Receiver, clock: Clock
) -> None:
    receiver.answers = [500, 204]
    job = failed(key, webhook_url=receiver.hook)
    announced = api.get(f"{URL}/{job.pk}").content
    delivery = try_now(job.deliveries.get(), clock)
    assert job.retry("staff")
    assert finish(claim_again(job))
    WebhookDelivery.objects.exclude(pk=delivery.pk).delete()
    assert try_now(delivery, clock).status == "delivered"
    sent = json.loads(receiver.received[-1][1])
    times = dict.fromkeys(("created_at", "started_at", "completed_at"))  # which the clock has moved
    assert {**sent, **times} == {**json.loads(announced), **times}


def test_host_that_hangs_holds_up_no_other(key: ApiKey, settings: Settings, receiver: Receiver) -> None:
    hanging = [failed(key, webhook_url="https://hangs.example/hook").deliveries.get() for _ in range(3)]
    other = delivery_to(key, receiver.hook)
    assert WebhookDelivery.objects.claim_next() == hanging[0], "its worker waits for an answer"
    deliver()
    assert other.tries.count() == 1
    assert WebhookDelivery.objects.claim_next() is None, "the host has one attempt under way"


@pytest.mark.django_db(transaction=True)
def test_one_attempt_at_a_time_is_under_way_at_a_host(key: ApiKey) -> None:
    for _ in range(6):
        failed(key, webhook_url=HOOK)
    taken = all_at_once(6, lambda _: WebhookDelivery.objects.claim_next())
    assert len([one for one in taken if one is not None]) == 1
