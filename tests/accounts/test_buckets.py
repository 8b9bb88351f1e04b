"""Token buckets, in the broker and in the memory of a process: the same rule in both."""

from collections.abc import Callable
from itertools import count
from uuid import uuid4

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.buckets import Allowance, Rate, forget, take
from accounts.buckets.local import LocalBuckets
from accounts.plans import plan_limits
from astra.broker import broker
from astra.refusals import REFUSALS
from bench.limits import all_at_once
from tests.servers import wait_until

SLOW = Rate(per_minute=1, burst=3)
Take = Callable[[Rate], Allowance]


@pytest.fixture(params=["memory", "broker"])
def take_one(request: pytest.FixtureRequest) -> Take:
    """Takes from one bucket, which lies here or there."""
    if request.param == "broker":
        request.getfixturevalue("on_valkey")
    name = f"test:{uuid4()}"
    return lambda rate: take(name, rate)


def taken_locally() -> float:
    return REFUSALS.get_sample_value("astra_limits_checked_locally_total") or 0.0


def test_burst_is_let_through_and_no_more(take_one: Take) -> None:
    answers = [take_one(SLOW) for _ in range(5)]
    assert [answer.is_admitted for answer in answers] == [True, True, True, False, False]
    assert [answer.remaining for answer in answers] == [2, 1, 0, 0, 0]
    assert all(50 < answer.retry_after <= 60 for answer in answers[3:])


def test_bucket_says_when_it_is_full_again(take_one: Take) -> None:
    first, second = take_one(SLOW), take_one(SLOW)
    assert second.reset_at - first.reset_at == 60
    refused = [take_one(SLOW) for _ in range(3)][-1]
    assert refused.reset_at == second.reset_at + 60  # what was refused has taken nothing


def test_what_was_taken_comes_back(take_one: Take) -> None:
    quick = Rate(per_minute=1200, burst=2)
    while take_one(quick).is_admitted:
        pass
    assert wait_until(lambda: take_one(quick).is_admitted, 5)


def test_day_ends_what_the_minute_would_allow(take_one: Take) -> None:
    rate = Rate(per_minute=6000, burst=100, per_day=2)
    first, second, third = (take_one(rate) for _ in range(3))
    assert (first.remaining, first.remaining_today) == (1, 1)
    assert (second.is_admitted, second.remaining, second.remaining_today) == (True, 0, 0)
    assert not third.is_admitted
    assert second.reset_at % 86_400 == third.reset_at % 86_400 == 0
    assert third.retry_after <= 86_400


def test_higher_plan_counts_at_once(take_one: Take) -> None:
    while take_one(SLOW).is_admitted:
        pass
    assert take_one(Rate(per_minute=600, burst=5)).retry_after == 1


def test_bucket_can_be_filled_again(on_valkey: str) -> None:
    name = f"test:{uuid4()}"
    while take(name, SLOW).is_admitted:
        pass
    forget(name)
    assert take(name, SLOW).is_admitted


@given(
    rate=st.builds(Rate, per_minute=st.integers(1, 6000), burst=st.integers(1, 50)),
    pauses=st.lists(st.integers(0, 10**8), min_size=1, max_size=200),
)
def test_never_more_than_burst_and_rate_in_any_span(rate: Rate, pauses: list[int]) -> None:
    buckets, now, admitted = LocalBuckets(), 10**15, []
    with pytest.MonkeyPatch.context() as clock:
        for pause in pauses:
            now += pause
            clock.setattr("accounts.buckets.local.time.time_ns", lambda at=now: 1000 * at)
            if buckets.take("one", rate).is_admitted:
                admitted.append(now)
    for first in range(len(admitted)):
        for number, at in zip(count(1), admitted[first:], strict=False):
            assert number <= rate.burst + (at - admitted[first]) / rate.refill


def test_eight_processes_together_take_no_more_than_one(valkey_url: str) -> None:
    limits = plan_limits('{"free": {"requests_per_minute": 600}}', pixels_per_job=1)["free"]
    found = all_at_once(valkey_url, f"test:{uuid4()}", limits, processes=8, seconds=0.5)
    assert limits.burst <= found.admitted <= found.most
    assert len(found.checks) > found.admitted


def test_while_the_broker_is_away_limits_hold_in_this_process(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    before = taken_locally()
    assert [take("test:away", SLOW).is_admitted for _ in range(4)] == [True, True, True, False]
    assert broker.is_open
    assert taken_locally() == before + 4
    broker.note(success=True)


def test_buckets_in_the_broker_go_away_by_themselves(on_valkey: str) -> None:
    name = f"test:{uuid4()}"
    take(name, SLOW)
    assert 0 < int(redis.Redis.from_url(on_valkey).ttl(f"astra:bucket:{name}")) <= 60
