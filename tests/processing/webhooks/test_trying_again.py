"""When a webhook is tried again, by whom, and what it looks like then."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import WebhookDelivery
from processing.models.webhook_attempts import pause_after
from processing.tasks import deliver
from tests.processing.clock import Clock
from tests.processing.jobs import HOOK, all_at_once, failed
from tests.raster.support.misbehaving import AnyServer
from tests.raster.support.misbehaving import status as answer
from tests.servers import Receiver, free_port

from .deliveries import delivery_to, seconds_until, try_now


def test_receiver_that_is_down_is_tried_with_growing_delays_and_then_given_up(
    key: ApiKey, settings: Settings, clock: Clock
) -> None:
    host = f"127.0.0.1:{free_port()}"
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({host})
    settings.WEBHOOK_DELAYS = [5, 60, 3600]
    delivery = delivery_to(key, f"http://{host}/hook")
    delays: list[float] = []
    while delivery.status == "pending" and len(delays) < 10:
        try_now(delivery, clock)
        delays.append(seconds_until(delivery.next_attempt_at))
    assert delivery.status == "given up"
    for delay, planned in zip(delays[:-1], settings.WEBHOOK_DELAYS, strict=True):
        assert 0.8 * planned - 3 <= delay <= 1.2 * planned
    assert delivery.tries.count() == 4
    assert all(one.response_status is None and one.note for one in delivery.tries.all())


def test_default_delays_last_about_three_days(settings: Settings) -> None:
    total = timedelta(seconds=sum(settings.WEBHOOK_DELAYS))
    assert timedelta(days=3) <= total <= timedelta(days=3.5)
    assert sorted(settings.WEBHOOK_DELAYS) == settings.WEBHOOK_DELAYS


def test_receivers_that_failed_together_are_not_called_together(settings: Settings) -> None:
    pauses = {pause_after(1, 0.0) for _ in range(100)}
    assert len(pauses) > 90
    assert pause_after(len(settings.WEBHOOK_DELAYS) + 1, 0.0) is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked_for", "least", "most"), [("1", 4, 6), ("900", 897, 900), ("9" * 12, 86_397, 86_400)])
def test_pause_that_a_receiver_asks_for_is_kept_up_to_a_day(
    key: ApiKey, settings: Settings, clock: Clock, status: int, asked_for: str, least: float, most: float
) -> None:
    settings.WEBHOOK_DELAYS = [5, 5]
    with AnyServer(answer(status, Retry_After=asked_for), answer(200)) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
        delivery = try_now(delivery_to(key, server.url), clock)
        assert least - 3 <= seconds_until(delivery.next_attempt_at) <= most
        assert try_now(delivery, clock).status == "delivered"
        assert len(server.asked) == 2


def test_pause_may_be_asked_for_by_429_and_503_only(key: ApiKey, settings: Settings, clock: Clock) -> None:
    settings.WEBHOOK_DELAYS = [5]
    with AnyServer(answer(500, Retry_After="900")) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
        delivery = try_now(delivery_to(key, server.url), clock)
        assert seconds_until(delivery.next_attempt_at) < 7


def test_receiver_that_works_again_gets_the_same_message(
    key: ApiKey, receiver: Receiver, settings: Settings, clock: Clock
) -> None:
    down = f"127.0.0.1:{free_port()}"
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({down, receiver.host})
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


@pytest.mark.django_db(transaction=True)
def test_attempt_that_the_database_forgot_is_made_again_at_once(key: ApiKey, receiver: Receiver) -> None:
    """Not after the attempt's lease, for which no webhook could go to that host."""
    delivery = delivery_to(key, receiver.hook)
    failures = [OperationalError("terminating connection due to administrator command")]

    def fail_once(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if failures and sql.startswith("INSERT") and "webhookattempt" in sql:
            raise failures.pop()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_once):
        deliver()
    assert failures == []
    assert WebhookDelivery.objects.due().get() == delivery
    deliver()
    delivery.refresh_from_db()
    assert (delivery.status, len(receiver.received)) == ("delivered", 2)
