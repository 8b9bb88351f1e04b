"""A seeded simulation of the service on its real models: whatever happens in whatever order, what must hold does hold.

An interleaving is a course of 20 acts from an empty database. Those of a seed begin alike, and then part again and
again: what they share is done once, and the database goes back to it. All rules are checked after each act. The path of
an interleaving, one branch for each act, replays it alone.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from accounts.models import Account, ApiKey
from processing.models import Job, WebhookDelivery
from processing.models.webhook_attempts import Answer, Outcome
from tests.processing.models.world import KeysOnly, World

ACTS = 20
_FORKING = 6  # the last acts, each of which is tried in two ways
PER_SEED: int = 2**_FORKING

_ROWS = """
SELECT j.id, a.plan, a.name, j.status, j.progress, j.attempt, j.attempt_limit, j.claims, j.result_key,
  j.expires_at < %s,
  count(*) FILTER (WHERE e.verb = 'claim'),
  count(*) FILTER (WHERE e.verb = 'complete'), count(*) FILTER (WHERE e.verb IN ('fail', 'cancel')),
  count(*) FILTER (WHERE e.verb = 'retry'), count(*) FILTER (WHERE e.note = 'the worker was lost'),
  (SELECT count(*) FROM processing_webhookdelivery d WHERE d.job_id = j.id),
  (SELECT count(*) FROM processing_idempotencykey k WHERE k.job_id = j.id)
FROM processing_job j JOIN accounts_account a ON a.id = j.account_id LEFT JOIN processing_jobevent e ON e.job_id = j.id
GROUP BY j.id, a.id
"""


class Row(NamedTuple):
    """A job, and how often what happened to it."""

    id: str
    plan: str
    account: str
    status: str
    progress: int
    attempt: int
    attempt_limit: int
    claims: int
    result_key: str
    is_expired: bool | None
    claimed: int
    completed: int
    failed: int
    retried: int
    lost: int
    announced: int
    requested: int


class RuleBroken(Exception):
    """Says which, how to replay it, and what was done."""


class Simulation:
    """All interleavings of a seed, or the one of a path. `acts` and `interleavings` count what was done."""

    def __init__(self, seed: int, path: str = "") -> None:
        self.acts = self.interleavings = 0
        self._seed, self._path = seed, path
        self._done: list[str] = []

    def run(self) -> None:
        """Leaves nothing in the database. Raises RuleBroken."""
        backend = {"BACKEND": f"{KeysOnly.__module__}.{KeysOnly.__name__}"}
        with override_settings(STORAGES={"default": backend}), undone():
            self._go_on(World(_two_accounts(), Random(self._seed)), {}, "")

    def _go_on(self, world: World, rows: dict[str, Row], path: str) -> None:
        if len(path) == ACTS:
            self.interleavings += 1
            return
        for branch in self._branches(len(path)):
            with undone():
                self._act(world.fork(Random(f"{self._seed}:{path}{branch}")), rows, path + branch)
            del self._done[len(path) :]

    def _branches(self, act: int) -> str:
        if self._path:
            return self._path[act : act + 1]
        return "01" if act >= ACTS - _FORKING else "0"

    def _act(self, world: World, before: dict[str, Row], path: str) -> None:
        try:
            world.act(self._done.append)
            self.acts += 1
            rows = check(before)
            check_signs_of_life(world, before, rows)
            if len(path) == ACTS and path.endswith("0" * _FORKING):
                self._done.append("from then on all goes well")
                finish_all(world, rows)
        except Exception as error:
            story = "\n  ".join(self._done)
            raise RuleBroken(f"{error}\nReplay: --seed {self._seed} --path {path}\n  {story}") from error
        self._go_on(world, rows, path)


def check(before: dict[str, Row]) -> dict[str, Row]:
    """The rows as they are now. Raises AssertionError if they break a rule, or may not follow on those before."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [connection.ops.adapt_datetimefield_value(timezone.now())])
        rows = {row.id: row for row in map(Row._make, cursor)}
    at_work = Counter((row.account, row.plan) for row in rows.values() if row.status == "processing")
    for (_, plan), count in at_work.items():
        assert count <= settings.PLAN_LIMITS[plan].concurrent_jobs, "an account has more at work than its plan allows"
    assert before.keys() <= rows.keys(), "a job is gone"
    for row in rows.values():
        _check_row(row, before.get(row.id, row))
    return rows


def _check_row(row: Row, before: Row) -> None:
    ends, is_finished = row.completed + row.failed, row.status in ("completed", "failed")
    assert row.requested == 1, "a request made not exactly one job"
    assert ends == row.announced, "an end was not announced exactly once"
    assert ends - row.retried == int(is_finished), "the timeline and the status do not agree"
    assert row.completed == int(row.status == "completed"), "a job was completed twice, or did not stay so"
    assert row.claimed == row.claims, "a claim is not in the timeline"
    assert 0 <= row.attempt <= min(row.attempt_limit, row.claims), "attempts were charged wrongly"
    assert row.progress >= before.progress, "the progress fell"
    assert not row.result_key or row.is_expired or row.result_key in KeysOnly.kept, "a result has lost its file"


def check_signs_of_life(world: World, before: dict[str, Row], rows: dict[str, Row]) -> None:
    for pk, claim in world.alive.items():
        row = rows[pk]
        assert row.claims > claim or row.lost == before.get(pk, row).lost, "a worker that lives was given up for lost"


def finish_all(world: World, rows: dict[str, Row]) -> None:
    """Once all goes well again, every job comes to its end, and no result outlives its time."""
    for _ in range(500):
        world.clock.move(seconds=15)
        world.sweep()
        world.claim()
        world.complete()
        rows = check(rows)
        if all(row.status in ("completed", "failed") for row in rows.values()):
            break
    else:
        raise AssertionError("a job waits for ever")
    while (delivery := WebhookDelivery.objects.claim_next()) is not None:
        delivery.record_attempt(Answer(outcome=Outcome.DELIVERED))
    world.clock.move(days=2)
    world.expire()
    assert not Job.objects.exclude(result_key="").exists(), "a result outlived its time"


@contextmanager
def undone() -> Iterator[None]:
    """What happens meanwhile did not happen, to the database and to the files."""
    kept = set(KeysOnly.kept)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    KeysOnly.kept.clear()
    KeysOnly.kept.update(kept)


def _two_accounts() -> list[ApiKey]:
    """Keys of an account whose jobs wait for each other, and of one that has several at work."""
    keys = []
    for name, plan in (("one", "free"), ("two", "pro")):
        account = Account.objects.create(name=name, plan=plan)
        keys.append(ApiKey.objects.issue(account, "test")[0])
    return keys
