"""Deliveries, and their attempts one by one."""

from datetime import UTC, datetime

from accounts.models import ApiKey
from processing.models import WebhookDelivery
from processing.tasks import deliver
from tests.processing.clock import Clock
from tests.processing.jobs import failed


def delivery_to(key: ApiKey, url: str) -> WebhookDelivery:
    return failed(key, webhook_url=url).deliveries.get()


def try_now(delivery: WebhookDelivery, clock: Clock) -> WebhookDelivery:
    """Make the next attempt when it is due."""
    delivery.refresh_from_db()
    clock.move(seconds=max(0.0, seconds_until(delivery.next_attempt_at) + 0.01))
    deliver()
    delivery.refresh_from_db()
    return delivery


def seconds_until(time: datetime) -> float:
    return (time - datetime.now(UTC)).total_seconds()
