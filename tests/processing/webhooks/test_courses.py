"""Receivers that are in trouble, from the end of a job to the end of its webhook: each takes its documented course."""

import json
from collections.abc import Sequence

import pytest
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models import WebhookDelivery
from tests.processing.clock import Clock
from tests.servers import Receiver, free_port

from .deliveries import delivery_to, try_now


@pytest.mark.parametrize(
    ("answers", "ends", "attempts"),
    [
        ([204], "delivered", 1),
        ([500, 302, 404, 204], "delivered", 4),
        ([429, 503, 200], "delivered", 3),
        ([500, 410, 204], "given up", 2),
        ([500], "given up", 10),
        ([301], "given up", 10),
        ([429], "given up", 10),
    ],
    ids=str,
)
def test_every_course_is_one_event(
    key: ApiKey, receiver: Receiver, clock: Clock, answers: Sequence[int], ends: str, attempts: int
) -> None:
    receiver.answers = list(answers)
    delivery = delivery_to(key, receiver.hook)
    follow(delivery, clock)
    assert (delivery.status, len(receiver.received)) == (ends, attempts)
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {delivery.message_id}
    bodies = [json.loads(body) for _, body in receiver.received]
    times = dict.fromkeys(("created_at", "started_at", "completed_at"))  # which the clock has moved
    assert all({**body, **times} == {**bodies[0], **times} for body in bodies)
    assert WebhookDelivery.objects.count() == 1
    assert [one.response_status for one in delivery.tries.all()] == [
        answers[min(number, len(answers) - 1)] for number in range(attempts)
    ]


def test_receiver_that_is_down_for_three_days_is_given_up(key: ApiKey, settings: Settings, clock: Clock) -> None:
    host = f"127.0.0.1:{free_port()}"
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({host})
    delivery = delivery_to(key, f"http://{host}/hook")
    follow(delivery, clock)
    tries = list(delivery.tries.all())
    assert delivery.status == "given up"
    assert len(tries) == 10
    days = (tries[-1].at - tries[0].at).total_seconds() / 86_400
    assert 2.5 < days < 3.8


def follow(delivery: WebhookDelivery, clock: Clock) -> None:
    """Attempt upon attempt, each when it is due, until nothing is."""
    while delivery.status == "pending":
        try_now(delivery, clock)
    clock.move(days=7)
    assert not WebhookDelivery.objects.due().exists()
