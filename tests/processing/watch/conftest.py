import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from astra.embedded.broker import configure_broker
from processing.models.signs import Sign


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real broker."""
    broker = configure_broker(tmp_path_factory.mktemp("broker"))
    with subprocess.Popen(broker.command, stdout=subprocess.DEVNULL) as process:
        broker.wait_until_ready()
        yield broker.url
        process.terminate()


@pytest.fixture
def broker(settings: Settings, broker_url: str) -> None:
    settings.REDIS_URL = broker_url


@pytest.fixture
def silent_broker(settings: Settings) -> Iterator[None]:
    """Something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://:password@127.0.0.1:{server.getsockname()[1]}/0"
        yield


@pytest.fixture
def all_well(db: None, broker: None, storage: Path) -> None:
    """A service in which nothing is wrong."""
    Sign.objects.give("sweep")
    Sign.objects.give("worker:rasters@one")
