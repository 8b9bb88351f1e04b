"""A seeded simulation of jobs and workers against the real models: whatever happens, no job is lost or done twice.

A run is a random course of submits, claims, signs of life, losses, sweeps, cancels, ends and retries by staff. Every
invariant is checked after each step. A run that fails is replayed by its seed.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count

from accounts.models import Account, ApiKey
from processing.models import Job, WebhookDelivery
from processing.models.failures import error_body
from tests.processing.clock import Clock
from tests.processing.jobs import AWAY, ERROR, HOOK, another_key, finish, queued

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the simulation takes long, and runs on SQLite"),
]
STEPS = 40
CANCELED = error_body("CANCELED", "The job was cancelled by its owner.", retryable=False)


class Crash(Exception):
    """The process ended in the middle of a transaction."""


class Simulation:
    def __init__(self, seed: int, keys: list[ApiKey]) -> None:
        self.random = random.Random(seed)
        self.keys = keys
        self.clock = Clock()
        self.workers: list[Job] = []  # the job as each worker knows it; some have been given up meanwhile
        self.retries: dict[str, int] = {}

    def run(self) -> None:
        acts: list[Callable[[], None]] = [
            self.submit, self.submit, self.claim, self.claim, self.claim, self.heartbeat, self.complete, self.complete,
            self.fail, self.release, self.hand_back, self.crash, self.cancel, self.retry, self.sweep, self.pass_time,
        ]  # fmt: skip
        for _ in range(STEPS):
            self.random.choice(acts)()
            self.check()
        self.finish_all()

    def submit(self) -> None:
        queued(self.random.choice(self.keys), webhook_url=HOOK)

    def claim(self) -> None:
        job = Job.objects.claim_next("a-message")
        if job is not None:
            self.workers.append(job)

    def heartbeat(self) -> None:
        for job in self.some_worker():
            job.report_progress(self.random.randint(0, 95))

    def complete(self) -> None:
        self.end(finish)

    def fail(self) -> None:
        self.end(lambda job: job.fail(ERROR))

    def cancel(self) -> None:
        job = self.some_job(status__in=("queued", "processing"))
        if job is not None:
            job.cancel(CANCELED)

    def release(self) -> None:
        for job in self.some_worker():
            job.release(AWAY, timedelta(seconds=self.random.choice([0, 30])))

    def hand_back(self) -> None:
        for job in self.some_worker():
            job.hand_back("the worker was stopped")

    def crash(self) -> None:
        """In the middle of writing the end: nothing of it may stay."""
        for job in self.some_worker():
            with suppress(Crash), transaction.atomic():
                finish(job)
                raise Crash

    def retry(self) -> None:
        job = self.some_job(status="failed")
        if job is not None and job.retry("staff"):
            self.retries[job.pk] = self.retries.get(job.pk, 0) + 1

    def sweep(self) -> None:
        for job in Job.objects.lost():
            job.give_up_for_lost()
        Job.objects.unpark_where_there_is_room()

    def pass_time(self) -> None:
        self.clock.move(seconds=self.random.choice([1, 15, 40]))

    def end(self, act: Callable[[Job], bool]) -> None:
        for job in self.some_worker():
            self.workers.remove(job)
            act(job)

    def some_worker(self) -> list[Job]:
        return [self.random.choice(self.workers)] if self.workers else []

    def some_job(self, **wanted: object) -> Job | None:
        jobs = list(Job.objects.filter(**wanted).order_by("created_at", "pk"))
        return self.random.choice(jobs) if jobs else None

    def finish_all(self) -> None:
        """Once all goes well again, every job comes to its end."""
        for _ in range(500):
            self.clock.move(seconds=40)
            self.sweep()
            job = Job.objects.claim_next("a-message")
            if job is not None:
                finish(job)
            self.check()
            if not Job.objects.filter(status__in=("queued", "processing")).exists():
                return
        raise AssertionError("a job waits for ever")

    def check(self) -> None:
        for account, count in at_work_by_account():
            assert count <= account.limits.concurrent_jobs
        assert not Job.objects.filter(parked=True).exclude(status="queued").exists()
        for job in Job.objects.prefetch_related("deliveries"):
            ends = self.retries.get(job.pk, 0) + (1 if job.is_finished else 0)
            assert len(job.deliveries.all()) == ends, "one announcement of each end"
            assert 0 <= job.attempt <= job.attempt_limit
            assert job.attempt <= job.claims
        assert (
            WebhookDelivery.objects.filter(event="job.completed").count()
            == Job.objects.filter(status="completed").count()
        ), "a job that is completed stays so"


def at_work_by_account() -> list[tuple[Account, int]]:
    counts = Job.objects.at_work().order_by().values_list("account").annotate(count=Count("pk"))
    return [(Account.objects.get(pk=pk), count) for pk, count in counts]


@pytest.mark.parametrize("seed", range(60))
def test_no_job_is_lost_or_done_twice(seed: int) -> None:
    keys = []
    for name, plan in (("one", "free"), ("two", "pro")):
        key, _ = another_key(name)
        Account.objects.filter(pk=key.account_id).update(plan=plan)
        keys.append(ApiKey.objects.select_related("account").get(pk=key.pk))
    Simulation(seed, keys).run()
