from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.servers import Receiver


@pytest.fixture(scope="module")
def running_receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def receiver(running_receiver: Receiver, settings: Settings) -> Receiver:
    """A receiver on this machine that the operator allows. It has received nothing yet."""
    settings.WEBHOOK_PRIVATE_HOSTS = frozenset({running_receiver.host})
    running_receiver.received.clear()
    running_receiver.answers = [204]
    return running_receiver
