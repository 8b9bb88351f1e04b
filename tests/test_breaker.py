"""The breakers: a server that is away costs one caller a moment, or none, and all others nothing."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from astra.outages import Breaker, WatchedBreaker
from tests.servers import wait_until


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for breakers."""
    now = [1000.0]
    monkeypatch.setattr("astra.outages.breaker.time", SimpleNamespace(monotonic=lambda: now[0]))

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


def test_no_caller_waits_for_a_watched_server_that_is_away(elapsed: Callable[[float], None]) -> None:
    answered, looks = threading.Event(), []

    def look() -> None:
        looks.append(threading.get_ident())
        assert answered.wait(30)

    breaker = WatchedBreaker(10, look, (OSError,))
    breaker.note(success=False)
    elapsed(10.1)
    assert [breaker.allows() for _ in range(8)] == [False] * 8
    answered.set()
    wait_until(lambda: not breaker.is_open)
    assert len(looks) == 1
    assert looks[0] != threading.get_ident()
    assert breaker.allows()


def test_watched_server_that_is_still_away_is_looked_at_after_each_pause(elapsed: Callable[[float], None]) -> None:
    looks: list[threading.Thread] = []

    def look() -> None:
        looks.append(threading.current_thread())
        raise OSError("away")

    breaker = WatchedBreaker(10, look, (OSError,))
    breaker.note(success=False)
    for count in (1, 2, 3):
        elapsed(10.1)
        assert not breaker.allows()
        wait_until(lambda count=count: len(looks) == count)
        looks[-1].join(30)
        assert breaker.is_open
