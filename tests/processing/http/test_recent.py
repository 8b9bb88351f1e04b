"""Recent values are kept for a time, and only so many of them."""

import pytest

from processing.http.recent import Recent


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time is its only element."""
    now = [1000.0]
    monkeypatch.setattr("processing.http.recent.time.monotonic", lambda: now[0])
    return now


def test_value_is_forgotten_after_its_time(clock: list[float]) -> None:
    values = Recent[int](seconds=10, most=3)
    values.put("one", 1)
    clock[0] += 9.9
    assert values.get("one") == 1
    clock[0] += 0.2
    assert values.get("one") is None


def test_oldest_values_make_room_for_new_ones(clock: list[float]) -> None:
    values = Recent[int](seconds=10, most=3)
    for number in range(5):
        values.put(str(number), number)
    assert [values.get(str(number)) for number in range(5)] == [None, None, 2, 3, 4]
