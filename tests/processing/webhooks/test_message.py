"""What a receiver gets: the body, its signatures, and the id by which it knows a message again."""

import base64
import hashlib
import hmac
import json
import re
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from accounts.models import Account, ApiKey
from processing.models import WebhookDelivery
from processing.tasks import deliver
from tests.accounts.clock import Clock as SignersClock
from tests.processing.clock import Clock
from tests.processing.jobs import URL, claim_again, completed, failed, finish
from tests.servers import Receiver

from .deliveries import delivery_to, try_now


@pytest.mark.parametrize("make", [completed, failed])
def test_body_equals_that_of_a_poll_byte_for_byte(
    api: APIClient, key: ApiKey, receiver: Receiver, make: object
) -> None:
    job = make(key, webhook_url=receiver.hook)  # type: ignore[operator]
    polled = api.get(f"{URL}/{job.pk}").content
    deliver()
    ((headers, body),) = receiver.received
    assert without_signatures(body) == without_signatures(polled)
    assert headers["content-type"] == "application/json"


def without_signatures(body: bytes) -> bytes:
    """Links are signed anew each time, and those to a bucket name the second."""
    return re.sub(rb'(https?://[^"?]+)[?][^"]+', rb"\1", body)


def test_signature_passes_the_library_for_receivers(account: Account, key: ApiKey, receiver: Receiver) -> None:
    delivery_to(key, receiver.hook)
    deliver()
    ((headers, body),) = receiver.received
    Webhook(account.webhook_secret).verify(body, headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(account.webhook_secret).verify(body + b" ", headers)


def test_for_a_day_after_a_roll_both_secrets_verify(account: Account, key: ApiKey, receiver: Receiver) -> None:
    before = account.webhook_secret
    new = account.roll_webhook_secret()
    delivery_to(key, receiver.hook)
    deliver()
    Account.objects.update(webhook_secret_rolled_at=F("webhook_secret_rolled_at") - timedelta(hours=24))
    delivery_to(key, receiver.hook)
    deliver()
    (during, body), (after, later_body) = receiver.received
    Webhook(before).verify(body, during)
    Webhook(new).verify(body, during)
    Webhook(new).verify(later_body, after)
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(later_body, after)


def test_dump_of_the_database_signs_no_webhook(account: Account, key: ApiKey, receiver: Receiver) -> None:
    account.roll_webhook_secret()
    delivery_to(key, receiver.hook)
    deliver()
    ((headers, body),) = receiver.received
    dump = StringIO()
    call_command("dumpdata", stdout=dump)
    words = set(re.findall(r"[\w+/=-]{8,}", dump.getvalue()))
    assert account.sealed_webhook_secret in words
    assert [word for word in words if verifies(word, headers, body)] == []
    assert verifies(account.webhook_secret, headers, body)


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether the text, taken for a secret as it is or in base64, has signed the webhook."""
    for taken in (secret, secret.encode()):
        with suppress(WebhookVerificationError, EmptyWebhookSecretError, ValueError):
            Webhook(taken).verify(body, headers)
            return True
    return False


def test_secret_that_the_pepper_does_not_open_is_an_attempt_with_a_note(
    key: ApiKey, receiver: Receiver, clock: Clock, settings: Settings
) -> None:
    delivery, pepper = delivery_to(key, receiver.hook), settings.KEY_PEPPER
    settings.KEY_PEPPER = "another pepper"
    assert try_now(delivery, clock).status == "pending"
    assert receiver.received == []
    assert "ASTRA_KEY_PEPPER" in delivery.tries.get().note
    settings.KEY_PEPPER = pepper
    assert try_now(delivery, clock).status == "delivered"


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
