from collections.abc import Iterator

import pytest
from pytest_django import Settings

from astra.broker import broker
from tests.accounts.clock import Clock
from tests.production_set import valkey


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of a real server."""
    with valkey() as url:
        yield url


@pytest.fixture
def on_valkey(valkey_url: str, settings: Settings) -> str:
    """Limits and usage lie in a real server, whose URL this is."""
    settings.CELERY_BROKER_URL = valkey_url
    broker.note(success=True)
    return valkey_url
