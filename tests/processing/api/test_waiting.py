"""What a queued job is told of its place and its end, beside what comes."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models.functions import Now

from accounts.models import Account, ApiKey
from processing.api.waiting import waiting_of
from processing.models import Job
from processing.models.signs import Sign
from tests.processing.jobs import another_key, claim_again, finish, queued

pytestmark = pytest.mark.django_db
SECONDS = 60
AREA = {"aoi": [15.0, 46.0, 15.1, 46.1]}  # 86 km2: 0.86 megapixels of 10 m


def key_of(plan: str, name: str) -> ApiKey:
    key, _ = another_key(name)
    Account.objects.filter(pk=key.account_id).update(plan=plan)
    return ApiKey.objects.select_related("account").get(pk=key.pk)


def done(key: ApiKey, seconds: float, *, pixels: int = 2048, **fields: Any) -> None:
    """A job that has taken so long, with a square result."""
    job = claim_again(queued(key, **fields))
    result = {"file:size": 1, "proj:shape": [pixels, pixels], "gsd": 10.0}
    assert job.complete(result=result, result_key="", warnings=[])
    Job.objects.filter(pk=job.pk).update(completed_at=Now(), attempt_started_at=Now() - timedelta(seconds=seconds))


def said(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    cache.clear()
    return [waiting_of(Job.objects.get(pk=job.pk)) for job in jobs]


def etas(*jobs: Job) -> list[Any]:
    return [waiting["eta_seconds"] for waiting in said(jobs)]


# --- The place ------------------------------------------------------------------------------------------------------


def rounds_of(slots: int) -> list[list[str]]:
    """Works on all jobs, each as long as the others: ids by the round in which they start."""
    rounds: list[list[str]] = []
    while Job.objects.filter(status="queued").exists():
        claims = [Job.objects.claim_next("a-message") for _ in range(slots - Job.objects.at_work().count())]
        rounds.append([job.pk for job in claims if job is not None])
        for job in Job.objects.at_work():
            finish(job)
    return rounds


@pytest.mark.parametrize("seed", range(20))
def test_places_and_times_come_true(seed: int) -> None:
    chance = random.Random(seed)
    keys = [key_of(chance.choice(["free", "pro", "scale"]), f"{number}") for number in range(chance.randint(1, 5))]
    slots = chance.choice([1, 2, 4, 8])
    Sign.objects.give("worker:one", processes=slots)
    done(keys[0], SECONDS)
    for _ in range(chance.randint(2, 50)):
        queued(chance.choice(keys))
        if chance.random() < 0.2 and Job.objects.at_work().count() < slots:
            Job.objects.claim_next("a-message")
    waiting = list(Job.objects.filter(status="queued").order_by("pk"))
    told = {job.pk: answer for job, answer in zip(waiting, said(waiting), strict=True)}

    rounds = rounds_of(slots)

    order = [pk for started in rounds for pk in started]
    errors = [abs(order.index(pk) + 1 - answer["queue_position"]) for pk, answer in told.items()]
    assert sum(errors) / len(errors) <= 2
    for number, started in enumerate(rounds, start=1):
        shares = [told[pk]["eta_seconds"] / (number * SECONDS) for pk in started]
        assert all(0.5 <= share <= 2 for share in shares), "within a factor of two"


def test_jobs_that_their_plan_holds_up_are_not_counted() -> None:
    free, pro = key_of("free", "free"), key_of("pro", "pro")
    Sign.objects.give("worker:one", processes=4)
    for _ in range(20):
        queued(free)
    assert Job.objects.claim_next("a-message") is not None
    mine = [queued(pro) for _ in range(3)]
    assert [waiting["queue_position"] for waiting in said(mine)] == [1, 2, 3]


def test_equal_turns_go_by_age() -> None:
    jobs = [queued(key_of("pro", f"account {number}")) for number in range(3)]
    assert [waiting["queue_position"] for waiting in said(jobs)] == [1, 2, 3]


# --- The time -------------------------------------------------------------------------------------------------------


def test_job_that_starts_at_once_takes_as_long_as_those_before(key: ApiKey) -> None:
    Sign.objects.give("worker:one", processes=2)
    for seconds in (10, 50, 60, 70, 900):
        done(key, seconds)
    assert etas(queued(key), queued(key)) == [60, 60]


def test_size_counts(key: ApiKey) -> None:
    for _ in range(15):
        done(key, 5, pixels=1000, params=AREA)
        done(key, 90, pixels=10_000)
    Sign.objects.give("worker:one", processes=2)
    assert etas(queued(key), queued(key, params=AREA)) == [90, 5]


def test_time_of_a_small_job_holds_those_behind_it_up_less(key: ApiKey) -> None:
    for _ in range(15):
        done(key, 5, pixels=1000, params=AREA)
        done(key, 95, pixels=10_000)
    assert Job.objects.filter(status="completed").count() == 30
    _, last = queued(key), queued(key)
    assert etas(last) == [50 + 95], "the mean of all for what is ahead"


def test_jobs_of_another_mode_or_operation_say_nothing(key: ApiKey) -> None:
    live, _ = ApiKey.objects.issue(key.account, "live")
    done(live, 900)
    done(key, 900, operation="change_detection")
    (eta,) = etas(queued(key))
    assert eta < 60


def test_job_is_not_told_of_a_worker_that_is_gone(key: ApiKey) -> None:
    done(key, 60)
    Sign.objects.give("worker:one", processes=8)
    Sign.objects.update(at=Now() - timedelta(minutes=5))
    assert etas(*[queued(key) for _ in range(3)]) == [60, 120, 180]
