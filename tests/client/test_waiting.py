"""How long is waited: what Retry-After means, and when trying again ends."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from astra_client.waiting import Patience, retry_after


def answer(value: str) -> httpx2.Response:
    return httpx2.Response(503, headers={"Retry-After": value})


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("7", 7), ("", None), ("soon", None), ("-1", None)])
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(answer(value)) == seconds
    assert retry_after(httpx2.Response(503)) is None


def test_retry_after_as_a_date() -> None:
    now = datetime.now(UTC)
    later = retry_after(answer(format_datetime(now + timedelta(seconds=60), usegmt=True)))
    assert later == pytest.approx(60, abs=5)
    assert retry_after(answer(format_datetime(now - timedelta(days=1), usegmt=True))) == 0


def test_pauses_grow_up_to_a_bound_and_end_with_the_time() -> None:
    patience = Patience(1000)
    pauses = [patience.pause(None) or 0.0 for _ in range(20)]
    assert all(0 < pause <= 8 for pause in pauses)
    assert max(pauses[:2]) < min(pauses[10:])
    assert Patience(0).pause(None) is None


def test_what_is_asked_for_is_waited_for_or_given_up() -> None:
    patience = Patience(10)
    assert [patience.pause(asked) for asked in (0, 3, 11)] == [0, 3, None]
    assert patience.failures == 3
