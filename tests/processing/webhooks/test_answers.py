"""What an answer of a receiver means, and what a row keeps of it."""

import pytest
from pytest_django import Settings

from accounts.models import ApiKey
from processing.models.webhook_attempts import Outcome, WebhookAttempt
from processing.webhooks.posting import post
from tests.processing.clock import Clock
from tests.raster.support.misbehaving import (
    SLOW_HEADERS,
    Answer,
    AnyServer,
    content,
    drop_by_drop,
    endless,
    silence,
)
from tests.servers import Receiver

from .deliveries import delivery_to, seconds_until, try_now


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


@pytest.mark.parametrize(
    "url", ["https://" + "a" * 64 + ".example/hook", "https://[::1", "https://a b.example/", "nonsense"]
)
def test_url_that_cannot_be_called_counts_as_an_attempt(key: ApiKey, clock: Clock, url: str) -> None:
    delivery = try_now(delivery_to(key, url), clock)
    assert delivery.tries.count() == 1


# --- What is kept ---------------------------------------------------------------------------------------------------


def attempt_at(server: AnyServer, key: ApiKey, settings: Settings, clock: Clock) -> WebhookAttempt:
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
    return try_now(delivery_to(key, server.url), clock).tries.get()


def test_attempt_keeps_status_time_and_the_beginning_of_the_answer(
    key: ApiKey, settings: Settings, clock: Clock
) -> None:
    with AnyServer(content("Größe unbekannt".encode() + b"." * 5000, 500)) as server:
        kept = attempt_at(server, key, settings, clock)
    assert kept.response_status == 500
    assert kept.milliseconds is not None
    assert 0 <= kept.milliseconds < 5000
    assert kept.content is not None
    assert kept.content.startswith("Größe unbekannt...")
    assert len(kept.content) <= 1024


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"a\0b\x1b[31mc\r\nd", "ab[31mc\nd"),
        ("left \u202eright\u2066\ud7ff".encode(), "left right"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b"", ""),
    ],
)
def test_answer_is_kept_as_text_that_a_page_and_a_row_can_hold(
    key: ApiKey, settings: Settings, clock: Clock, sent: bytes, kept: str
) -> None:
    with AnyServer(content(sent, 500)) as server:
        assert attempt_at(server, key, settings, clock).content == kept


# --- However slowly -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("course", [silence, SLOW_HEADERS], ids=["silent", "dripping headers"])
def test_answer_that_does_not_come_in_time_is_a_failure(settings: Settings, course: Answer) -> None:
    with AnyServer(course) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
        answer = post(server.url, b"{}", {}, within=0.5)
    assert answer.outcome is Outcome.AGAIN
    assert answer.note
    assert answer.response_status is None
    assert 300 <= answer.milliseconds <= 2000
    assert len(server.asked) == 1


def test_body_that_drips_is_read_for_so_long_and_its_status_counts(settings: Settings) -> None:
    with AnyServer(drop_by_drop(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthanks")) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
        answer = post(server.url, b"{}", {}, within=1.0)
    assert answer.outcome is Outcome.DELIVERED
    assert answer.content.startswith("thanks")
    assert answer.milliseconds <= 2000


def test_of_an_endless_answer_little_is_read(settings: Settings) -> None:
    with AnyServer(endless) as server:
        settings.WEBHOOK_PRIVATE_HOSTS = frozenset({server.host})
        answer = post(server.url, b"{}", {}, within=10.0)
        assert answer.outcome is Outcome.DELIVERED
        assert answer.milliseconds < 5000
    assert server.bytes_sent < 20 << 20, "what the buffers of the connection take"
