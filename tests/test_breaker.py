"""The breaker: a broker that is away costs one caller a moment, and all others nothing."""

import threading
from collections.abc import Callable

import pytest

from astra.outages import Breaker


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for breakers."""
    now = [1000.0]
    monkeypatch.setattr("astra.outages.breaker.time.monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def test_breaker_lets_all_through_while_all_is_well() -> None:
    breaker = Breaker(10)
    for _ in range(5):
        assert breaker.allows()
        breaker.note(success=True)


def test_after_a_failure_nothing_is_tried_for_a_while(elapsed: Callable[[float], None]) -> None:
    breaker = Breaker(10)
    breaker.note(success=False)
    elapsed(9.9)
    assert not breaker.allows()
    assert breaker.is_open


def test_then_one_tries_for_all(elapsed: Callable[[float], None]) -> None:
    breaker = Breaker(10)
    breaker.note(success=False)
    elapsed(10.1)
    allowed: list[bool] = []
    threads = [threading.Thread(target=lambda: allowed.append(breaker.allows())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]
    breaker.note(success=True)
    assert breaker.allows()
    assert not breaker.is_open
