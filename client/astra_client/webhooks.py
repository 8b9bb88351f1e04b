"""Webhooks as Standard Webhooks 1.0.0 signs them."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping

from .errors import InvalidWebhook
from .jobs import Job

_TOLERANCE = 300  # seconds that the two clocks, and the way, may take


def verify_webhook(body: bytes | str, headers: Mapping[str, str], secret: str, *, tolerance: float = _TOLERANCE) -> Job:
    """The job in a webhook. Raises InvalidWebhook if the signature is not of `secret`, or is too old.

    `body` is the request's body as it arrived. While a secret is rolled a webhook has two signatures; one that fits
    suffices. A webhook may arrive twice, with the same `webhook-id`.
    """
    content = body.encode() if isinstance(body, str) else body
    named = {name.lower(): value for name, value in headers.items()}
    try:
        identity, timestamp = named["webhook-id"], named["webhook-timestamp"]
        signatures = named["webhook-signature"].split()
    except KeyError as missing:
        raise InvalidWebhook(f"The header {missing} is missing.") from None
    _check_time(timestamp, tolerance)
    expected = _signature(secret, f"{identity}.{timestamp}.".encode() + content)
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures):
        raise InvalidWebhook("No signature fits: another secret, or the body is not as it was sent.")
    return _job(content)


def _check_time(timestamp: str, tolerance: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise InvalidWebhook("webhook-timestamp is not in whole Unix seconds.")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise InvalidWebhook(
            f"It was signed more than {tolerance:g} s from now: sent again by another, or a wrong clock."
        )


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise InvalidWebhook("The secret is not whsec_ and base64. Copy it once more.") from None
    if not key:
        raise InvalidWebhook("The secret is empty.")
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _job(content: bytes) -> Job:
    try:
        body = json.loads(content)
    except ValueError:
        raise InvalidWebhook("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise InvalidWebhook("The body is no JSON object.")
    return Job(body)
