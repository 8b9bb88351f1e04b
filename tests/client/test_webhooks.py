"""Webhooks verified by the client, held against the reference implementation that signs them."""

import base64
import json
import re
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from astra_client import Astra, Job, errors
from tests.servers import Receiver, wait_until
from tests.service.conftest import Service

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes....").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one that it replaces").decode()
BODY = json.dumps({"job_id": "job_1", "status": "completed", "result": {"href": "https://astra.example/é"}})


def headers_of(body: str, *secrets: str, at: float | None = None) -> dict[str, str]:
    """As the service sends them: a signature for each secret."""
    signed_at = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    signatures = " ".join(Webhook(secret).sign("msg_1", signed_at, body) for secret in secrets)
    timestamp = str(int(signed_at.timestamp()))
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": timestamp, "Webhook-Signature": signatures}


@pytest.mark.parametrize("body", [BODY, BODY.encode()], ids=["text", "bytes"])
def test_signed_webhook_is_its_job(body: str | bytes) -> None:
    job = Astra.verify_webhook(body, headers_of(BODY, SECRET), SECRET)
    assert isinstance(job, Job)
    assert (job.job_id, job.is_finished) == ("job_1", True)
    assert job.result is not None
    assert job.result.href == "https://astra.example/é"


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET, SECRET.removeprefix("whsec_")])
def test_either_secret_fits_during_a_roll(secret: str) -> None:
    assert Astra.verify_webhook(BODY, headers_of(BODY, OLD_SECRET, SECRET), secret)


def wrong_headers() -> dict[str, dict[str, str]]:
    right = headers_of(BODY, SECRET)
    return {
        "another secret": headers_of(BODY, OLD_SECRET),
        "another body": headers_of(BODY + " ", SECRET),
        "another id": {**right, "Webhook-Id": "msg_2"},
        "too old": headers_of(BODY, SECRET, at=time.time() - 310),
        "from the future": headers_of(BODY, SECRET, at=time.time() + 310),
        "no time": {**right, "Webhook-Timestamp": "now"},
        "another version": {**right, "Webhook-Signature": right["Webhook-Signature"].replace("v1,", "v2,")},
        "no signature": {**right, "Webhook-Signature": ""},
        "not ASCII": {**right, "Webhook-Signature": "v1,é"},
    }


@pytest.mark.parametrize("wrong", wrong_headers())
def test_anything_else_is_refused_as_the_reference_refuses_it(wrong: str) -> None:
    headers = wrong_headers()[wrong]
    with pytest.raises(errors.InvalidWebhook):
        Astra.verify_webhook(BODY, headers, SECRET)
    with pytest.raises((WebhookVerificationError, ValueError, TypeError)):
        Webhook(SECRET).verify(BODY, {name.lower(): value for name, value in headers.items()})


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_missing_header_is_named(name: str) -> None:
    headers = headers_of(BODY, SECRET)
    del headers[name]
    with pytest.raises(errors.InvalidWebhook, match=name.lower()):
        Astra.verify_webhook(BODY, headers, SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***"])
def test_what_is_no_secret_fits_nothing(secret: str) -> None:
    with pytest.raises(errors.InvalidWebhook):
        Astra.verify_webhook(BODY, headers_of(BODY, SECRET), secret)


def test_tolerance_can_be_set() -> None:
    old = headers_of(BODY, SECRET, at=time.time() - 400)
    assert Astra.verify_webhook(BODY, old, SECRET, tolerance=500)


def test_webhook_of_a_real_job_is_verified(service: Service) -> None:
    made = service.manage("createapikey", "--account", "with webhooks", "--test")
    secret = re.search(r"whsec_\S+", made)
    assert secret is not None
    with Receiver() as receiver, Astra(made.split()[-1], service.url) as astra:
        job = astra.submit("ndvi", "sentinel-2:TEST_OK", webhook_url=receiver.hook)
        wait_until(lambda: receiver.received, 60, "the webhook")

    headers, body = receiver.received[0]
    told = Astra.verify_webhook(body, headers, secret[0])
    assert (told.job_id, told.status) == (job.job_id, "completed")
