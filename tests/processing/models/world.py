"""Callers, workers, sweeps and staff. Any act of theirs may be cut short by a crash, or meet another act halfway.

The acts are those of the service, on the real models. Only the storage is made up: it knows the keys of its files.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any, ClassVar, Self

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import Account, ApiKey
from processing import results, tasks
from processing.models import Job, WebhookDelivery
from processing.models.clock import from_now
from processing.models.failures import error_body
from processing.models.job_queue import QueueFull
from processing.models.signs import Sign
from processing.models.webhook_attempts import Answer, Outcome
from tests.processing.clock import Clock
from tests.processing.jobs import AWAY, ERROR, EXAMPLE, HOOK

_MOST_STATEMENTS = 12  # of an act; few have more
_ACTS = (
    *("submit", "submit", "claim", "claim", "cancel", "discard", "retry", "sweep", "sweep", "unpark"),
    *("clean_up", "expire", "deliver", "raise_plan", "pass_time", "pass_time"),
)
_ACTS_OF_WORKERS = (
    *("heartbeat", "heartbeat", "complete", "complete", "complete", "fail", "release", "hand_back", "lose"),
    *("lose", "crash_of_the_job"),
)
_CANCELED = error_body("CANCELED", "The job was cancelled by its owner.", retryable=False)
_DAY = 86_400

Act = Callable[[], None]


class Crash(Exception):
    """The process has ended."""


class KeysOnly(Storage):
    """Knows the keys of its files, and nothing of what is in them."""

    kept: ClassVar[set[str]] = set()

    def _save(self, name: str, content: Any) -> str:
        self.kept.add(name)
        return name

    def exists(self, name: str) -> bool:
        return name in self.kept

    def delete(self, name: str) -> None:
        self.kept.discard(name)


class World:
    """Who acts, and what they know. `chance` decides all. At the beginning some jobs wait, and some are at work."""

    def __init__(self, keys: list[ApiKey], chance: Random) -> None:
        self.keys, self.chance = keys, chance
        self.clock = Clock(Job, WebhookDelivery, Sign)
        self.workers: list[Job] = []  # the job as each worker knows it; some have been given up for lost
        self.alive: dict[str, int] = {}  # of jobs that just got a sign of life, the claim
        self.requests = 0
        for _ in range(4):
            self.submit()
        for _ in range(chance.randint(0, 3)):
            self.claim()

    def fork(self, chance: Random) -> Self:
        """The same world, of which another future is tried."""
        other = copy.copy(self)
        other.chance, other.workers, other.alive = chance, [copy.copy(job) for job in self.workers], {**self.alive}
        return other

    def act(self, say: Callable[[str], None]) -> None:
        """Any act, whole or not. Says before what it will be."""
        name, other, count = self.any_act(), self.any_act(), self.chance.randint(0, _MOST_STATEMENTS)
        act: Act = getattr(self, name)
        match "whole" if name == "unpark" else self.chance.choice(["whole", "whole", "crash", "meet"]):
            case "whole":
                say(name)
                act()
            case "crash":
                say(f"{name}: crash after {count} statements")
                with suppress(Crash), interrupted(count, self.crash, in_transactions=True):
                    act()
                transaction.set_rollback(False)  # what was done outside of a transaction stays
            case "meet":
                say(f"{name}: meets {other} after {count} statements")
                with interrupted(count, getattr(self, other), in_transactions=False):
                    act()

    def any_act(self) -> str:
        return self.chance.choice((*_ACTS, *_ACTS_OF_WORKERS) if self.workers else _ACTS)

    def crash(self) -> None:
        raise Crash

    # --- Callers ------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        """Some send the same request once more, as after a crash."""
        self.requests += self.chance.random() < 0.8
        key = self.keys[self.requests % len(self.keys)]
        wanted = {**EXAMPLE, "webhook_url": HOOK, "origin": "http://testserver"}
        with suppress(QueueFull):
            Job.objects.submit_once(key, f"request {self.requests}", EXAMPLE, **wanted)

    def cancel(self) -> None:
        for job in self.some_job("queued", "processing"):
            job.cancel(_CANCELED)

    def discard(self) -> None:
        for job in self.some_job("completed"):
            job.discard_result()

    # --- Workers ------------------------------------------------------------------------------------------------

    def claim(self) -> None:
        job = Job.objects.claim_next("a-message")
        if job is not None:
            if job.claims > 1:
                results.delete_attempts(job)
            self.workers.append(job)

    def heartbeat(self) -> None:
        for job in self.some_worker():
            self.alive[job.pk] = job.claims
            if job.report_progress(self.chance.randint(0, 95)):
                assert Job.objects.get(pk=job.pk).claims == job.claims, "a worker took another's job for its own"
            else:
                self.alive.pop(job.pk, None)
            self.workers.append(job)

    def complete(self) -> None:
        for job in self.some_worker():
            key = default_storage.save(results.storage_key(job, job.claims), ContentFile(b""))
            if not job.complete(result={"file:size": 1}, result_key=key, warnings=[]):
                results.delete_attempts(job)

    def fail(self) -> None:
        for job in self.some_worker():
            job.fail(ERROR)

    def release(self) -> None:
        for job in self.some_worker():
            if job.has_attempts_left:
                job.release(AWAY, timedelta(seconds=self.chance.choice([0, 30])))

    def hand_back(self) -> None:
        for job in self.some_worker():
            job.hand_back("the worker was stopped")

    def lose(self) -> None:
        """It is killed, or will wake up when its job is another's."""
        for job in self.some_worker():
            if self.chance.random() < 0.7:
                self.workers.append(job)

    def crash_of_the_job(self) -> None:
        """Its worker's main process notices."""
        for job in self.some_worker():
            Job.objects.get(pk=job.pk).charge_loss("its process crashed")

    # --- Control and staff --------------------------------------------------------------------------------------

    def sweep(self) -> None:
        tasks.sweep()

    def unpark(self) -> None:
        """The end of a sweep. Always whole, as it looks at what came of it."""
        Job.objects.unpark_where_there_is_room()
        assert not any(map(_holds_up_in_vain, Account.objects.all())), "a job is parked in vain"

    def clean_up(self) -> None:
        tasks.clean_up()

    def expire(self) -> None:
        tasks.expire_results()

    def deliver(self) -> None:
        delivery = WebhookDelivery.objects.claim_next()
        if delivery is not None:
            delivery.record_attempt(Answer(outcome=self.chance.choice(list(Outcome))))

    def retry(self) -> None:
        for job in self.some_job("failed"):
            job.retry("staff")

    def raise_plan(self) -> None:
        Account.objects.filter(plan="free").update(plan="pro")

    def pass_time(self) -> None:
        """Sweeps have mostly gone on meanwhile; else the next one gives workers time to say that they live."""
        self.alive.clear()
        self.clock.move(seconds=self.chance.choice([1, 15, 40, 40, _DAY]))
        if self.chance.random() < 0.8:
            Sign.objects.update_or_create(name="sweep", defaults={"at": Now(), "since": from_now(-timedelta(hours=1))})

    # --- Who, and which -----------------------------------------------------------------------------------------

    def some_worker(self) -> list[Job]:
        """One that stops to be one, unless it says otherwise."""
        return [self.workers.pop(self.chance.randrange(len(self.workers)))] if self.workers else []

    def some_job(self, *statuses: str) -> list[Job]:
        jobs = list(Job.objects.filter(status__in=statuses).order_by("created_at"))
        return [self.chance.choice(jobs)] if jobs else []


def _holds_up_in_vain(account: Account) -> bool:
    """Whether a job is parked although its plan would let it go on."""
    due = Job.objects.filter(account=account, status="queued", due_at__lte=Now())
    parked, going = due.filter(parked=True), due.filter(parked=False)
    at_work = Job.objects.at_work().filter(account=account)
    return parked.exists() and going.count() + at_work.count() < account.limits.concurrent_jobs


@contextmanager
def interrupted(count: int, act: Act, *, in_transactions: bool) -> Iterator[None]:
    """Act after so many statements. If not `in_transactions`, as soon after as none is open: others wait for that."""
    outside, counted, acted = len(connection.savepoint_ids), 0, False

    def execute(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        nonlocal counted, acted
        result = execute(sql, *arguments)
        counted += not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))
        here = _is_within(sql) if in_transactions else _is_between(sql, outside)
        if counted >= count and here and not acted:
            acted = True
            act()
        return result

    with connection.execute_wrapper(execute):
        yield


def _is_within(sql: str) -> bool:
    return not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))


def _is_between(sql: str, outside: int) -> bool:
    """Whether a transaction has ended, or none is open."""
    return not sql.startswith(("SAVEPOINT", "ROLLBACK")) and len(connection.savepoint_ids) == outside
