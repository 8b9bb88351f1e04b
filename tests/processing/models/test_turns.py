"""The order in which queued jobs are claimed: accounts take turns, and none has more at work than its plan allows."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import Account, ApiKey
from processing.models import Job
from tests.processing.jobs import AWAY, all_at_once, another_key, claim_again, finish, queued, row

pytestmark = pytest.mark.django_db


def take() -> str:
    """The account whose job a worker gets next, by its name; empty if it gets none."""
    job = Job.objects.claim_next("a-message")
    return job.account.name if job else ""


def key_of(name: str, plan: str) -> ApiKey:
    key, _ = another_key(name)
    Account.objects.filter(pk=key.account_id).update(plan=plan)
    key.account.refresh_from_db()
    return key


def test_oldest_job_of_an_account_is_first(key: ApiKey) -> None:
    jobs = [queued(key) for _ in range(3)]
    assert [Job.objects.claim_next("a-message") for _ in range(4)] == [*jobs, None]


def test_account_with_one_job_does_not_wait_for_the_many_of_another(key: ApiKey) -> None:
    for _ in range(20):
        queued(key)
    assert [take(), take()] == ["Agronomics", "Agronomics"]
    queued(key_of("Newcomer", "pro"))
    assert "Newcomer" in [take(), take()]


def test_accounts_with_long_queues_take_turns(key: ApiKey) -> None:
    other = key_of("Other", "scale")
    for _ in range(6):
        queued(key)
    for _ in range(6):
        queued(other)
    assert sorted([take(), take()]) == sorted([take(), take()]) == ["Agronomics", "Other"]


@pytest.mark.parametrize(("plan", "at_once"), [("free", 1), ("pro", 4)])
def test_plan_says_how_many_jobs_are_worked_on_at_once(plan: str, at_once: int) -> None:
    key = key_of("Small", plan)
    jobs = [queued(key) for _ in range(at_once + 2)]
    taken = [Job.objects.claim_next("a-message") for _ in range(at_once + 1)]
    assert taken == [*jobs[:at_once], None]
    queued(key)
    assert take() == "", "a job that comes later waits, too"
    first = taken[0]
    assert first is not None
    assert finish(first)
    assert Job.objects.claim_next("a-message") == jobs[at_once]
    assert take() == ""


@pytest.mark.parametrize("end", ["complete", "fail", "cancel", "release", "hand back"])
def test_any_end_of_work_lets_the_next_job_go_on(end: str) -> None:
    key = key_of("Small", "free")
    first, second = queued(key), queued(key)
    taken = claim_again(first)
    assert take() == ""
    ends: dict[str, Callable[[], bool]] = {
        "complete": lambda: finish(taken),
        "fail": lambda: taken.fail(AWAY),
        "cancel": lambda: taken.cancel(AWAY),
        "release": lambda: taken.release(AWAY, timedelta(minutes=1)),
        "hand back": lambda: taken.hand_back("the worker was stopped"),
    }
    assert ends[end]()
    assert not row(second)["parked"]


def test_plan_that_is_raised_holds_at_once_for_all_jobs_that_are_parked() -> None:
    key = key_of("Small", "free")
    jobs = [queued(key) for _ in range(6)]
    assert [Job.objects.claim_next("a-message"), take()] == [jobs[0], ""]
    Account.objects.filter(pk=key.account_id).update(plan="pro")
    Job.objects.unpark_where_there_is_room()
    assert [Job.objects.claim_next("a-message") for _ in range(4)] == [*jobs[1:4], None]


def test_full_account_stays_parked() -> None:
    key = key_of("Small", "free")
    jobs = [queued(key) for _ in range(3)]
    assert [take(), take()] == ["Small", ""]
    Job.objects.unpark_where_there_is_room()
    assert [row(job)["parked"] for job in jobs] == [False, True, True]


def test_job_that_is_not_due_yet_keeps_no_place() -> None:
    key = key_of("Small", "free")
    later, at_work, waiting = queued(key), queued(key), queued(key)
    assert claim_again(later).release(AWAY, timedelta(minutes=10))
    assert [Job.objects.claim_next("a-message"), take()] == [at_work, ""]
    assert finish(Job.objects.get(pk=at_work.pk))
    assert Job.objects.claim_next("a-message") == waiting


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_never_get_more_jobs_of_an_account_than_its_plan_allows() -> None:
    key = key_of("Small", "pro")
    for _ in range(12):
        queued(key)
    taken = all_at_once(8, lambda _: Job.objects.claim_next("a-message"))
    assert len([job for job in taken if job is not None]) == 4
