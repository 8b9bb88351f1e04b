"""Kills at random under a standing backlog, and what became of every job."""

import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..sets import RunningSet
from ..sets.hook import Receiver

JOB = {"operation": "ndvi", "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"]}
_LONGEST_END = 900.0  # seconds from the last submit to the last end
_LONGEST_WEBHOOK = 60.0  # seconds from the last end to the last webhook
_LOOK_EVERY = 0.5  # seconds, which is also the least time between two kills
_FINISHED = "status IN ('completed', 'failed')"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """So many jobs, of which a backlog waits as long as it lasts, and kills spread evenly over their ends."""

    jobs: int
    kills: int
    backlog: int
    seed: int

    def wants_a_kill(self, kills: int, ended: int) -> bool:
        return kills < self.kills and ended * self.kills >= kills * self.jobs


@dataclass(frozen=True, kw_only=True)
class Kill:
    """`at_work` are the jobs that were processing then."""

    kind: str
    at: float
    at_work: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the jobs. Times are seconds."""

    submitted: int
    ended: Counter[str]
    given_up: int
    completed_twice: int
    charged_twice: int
    workers_lost: int
    orphans: int
    without_webhook: int
    webhooks_twice: int
    kill_to_end: Sequence[float] = field(repr=False)
    end_to_webhook: Sequence[float] = field(repr=False)

    @property
    def is_flawless(self) -> bool:
        flaws = (self.given_up, self.completed_twice, self.orphans, self.without_webhook)
        return self.ended["completed"] == self.submitted and not any(flaws)


def kill_and_report(running: RunningSet, hook: Receiver, plan: Plan) -> Outcome:
    begun = time.monotonic()
    kills = _kill_while_jobs_run(running, hook, plan)
    outcome = _outcome(running, hook, plan, kills)
    _report(outcome, kills, running.kinds, time.monotonic() - begun)
    return outcome


def _kill_while_jobs_run(running: RunningSet, hook: Receiver, plan: Plan) -> list[Kill]:
    """Ends when all jobs have been submitted and have ended, and all kills are done."""
    kills: list[Kill] = []
    chance, submitted, ends = random.Random(plan.seed), 0, time.monotonic() + _LONGEST_END
    while time.monotonic() < ends:
        unfinished = running.rows(f"SELECT count(*) FROM processing_job WHERE NOT {_FINISHED}")[0][0]
        for _ in range(min(plan.backlog - unfinished, plan.jobs - submitted)):
            body, header = {**JOB, "webhook_url": hook.url}, {"Idempotency-Key": f"fault-{submitted}"}
            running.call("POST", "/api/v1/process", json=body, headers=header)
            submitted += 1
            ends = time.monotonic() + _LONGEST_END
        if plan.wants_a_kill(len(kills), submitted - unfinished):
            kills.append(_kill_one(running, chance))
        if submitted == plan.jobs and not unfinished:
            break
        time.sleep(_LOOK_EVERY)
    return kills


def _kill_one(running: RunningSet, chance: random.Random) -> Kill:
    kind = chance.choice(running.kinds)
    at_work = [job for (job,) in running.rows("SELECT id FROM processing_job WHERE status = 'processing'")]
    for victim in chance.sample(victims, 1) if (victims := sorted(running.victims(kind))) else []:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    return Kill(kind=kind, at=time.time(), at_work=at_work)


def _outcome(running: RunningSet, hook: Receiver, plan: Plan, kills: Sequence[Kill]) -> Outcome:
    columns = "id, status, attempt, losses, completed_at, result_key, error"
    jobs = {job: rest for job, *rest in running.rows(f"SELECT {columns} FROM processing_job")}
    _wait_for_webhooks(hook, len(jobs))
    twice = "SELECT job_id FROM processing_jobevent WHERE verb = 'complete' GROUP BY job_id HAVING count(*) > 1"
    end_of = {job: _unix(rest[3]) for job, rest in jobs.items() if rest[3]}
    running.manage("reconcile")
    return Outcome(
        submitted=plan.jobs,
        ended=Counter(status for status, *_ in jobs.values()),
        given_up=sum("WORKER_LOST" in str(rest[5]) for rest in jobs.values()),
        completed_twice=len(running.rows(twice)),
        charged_twice=sum(rest[1] > 1 for rest in jobs.values()),
        workers_lost=sum(rest[2] for rest in jobs.values()),
        orphans=_beside_no_result(running.stored(), {rest[4] for rest in jobs.values()}),
        without_webhook=len(jobs.keys() - hook.came.keys()),
        webhooks_twice=sum(len(times) > 1 for times in hook.came.values()),
        kill_to_end=[end_of[job] - kill.at for kill in kills for job in kill.at_work if job in end_of],
        end_to_webhook=[hook.came[job][0] - end for job, end in end_of.items() if job in hook.came],
    )


def _beside_no_result(stored: Set[str], results: Set[str]) -> int:
    """How many files lie in the folder of an attempt that has no result. Pictures lie beside theirs."""
    folders = {key.rpartition("/")[0] for key in results}
    return sum(key.rpartition("/")[0] not in folders for key in stored)


def _wait_for_webhooks(hook: Receiver, count: int) -> None:
    ends = time.monotonic() + _LONGEST_WEBHOOK
    while len(hook.came) < count and time.monotonic() < ends:
        time.sleep(0.2)


def _report(outcome: Outcome, kills: Sequence[Kill], kinds: Sequence[str], seconds: float) -> None:
    counts = Counter(kill.kind for kill in kills)
    print(f"{outcome.submitted} jobs, {len(kills)} kills in {seconds:.0f} s:", _listed(counts, kinds))
    print("ended:", dict(outcome.ended), "| given up:", outcome.given_up)
    print("completed twice:", outcome.completed_twice, "| more than one attempt charged:", outcome.charged_twice)
    print("workers lost:", outcome.workers_lost, "| files without a result:", outcome.orphans)
    print("without a webhook:", outcome.without_webhook, "| sent more than once:", outcome.webhooks_twice)
    _print_seconds("kill to end", outcome.kill_to_end)
    _print_seconds("end to webhook", outcome.end_to_webhook)


def _listed(counts: Counter[str], kinds: Sequence[str]) -> str:
    return ", ".join(f"{kind} {counts[kind]}" for kind in kinds)


def _unix(moment: Any) -> float:
    """SQLite has times as texts."""
    when = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment)).replace(tzinfo=UTC)
    return when.timestamp()


def _print_seconds(what: str, seconds: Sequence[float]) -> None:
    if len(seconds) < 2:
        return
    at = statistics.quantiles(seconds, n=20)
    print(f"{what}: p50 {statistics.median(seconds):.1f} s, p95 {at[18]:.1f} s, most {max(seconds):.1f} s")
