"""How long a queued job is likely to wait: how many start before it, and when it may end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.core.cache import cache

from accounts.models import Account

from ..models import Job
from ..models.job_queue import QueuedKind
from ..models.signs import Sign
from .durations import likely_seconds, mean_seconds

_KEPT_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Share:
    """Jobs of one account: queued with an earlier turn, queued at all, at work, and as many as may be at work."""

    ahead: int
    queued: int
    at_work: int
    limit: int

    def can_start_within(self, rounds: float) -> int:
        """How many, if there were no other account. A round is the time that a job takes."""
        return max(self.limit - self.at_work, self.limit * int(rounds))


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How many jobs start before this one, and the rounds after which it starts."""

    before: int
    rounds: float


def waiting_of(job: Job) -> dict[str, int | None]:
    """`queue_position`, 1 for the next job, and `eta_seconds` to its likely end. Nulls for a job that does not wait.

    Worked out at most every two seconds for each job.
    """
    if not job.is_waiting:
        return {"queue_position": None, "eta_seconds": None}
    known: Any = cache.get_or_set(f"waiting:{job.pk}", lambda: _work_out(job), _KEPT_SECONDS)
    return dict(known)


def forecast(own: Share, others: Sequence[Share], slots: int) -> Forecast:
    """An account at its limit waits, and others pass. `slots` are the jobs that all workers can work on at once."""
    free = max(0, slots - sum(each.at_work for each in (own, *others)))
    in_turn = _rounds_of_all_ahead(own, others, slots)
    by_turn = own.ahead + sum(min(each.ahead, each.can_start_within(in_turn)) for each in others)
    held_up = max(0.0, (own.ahead + 1 - (own.limit - own.at_work)) / own.limit)
    meanwhile = own.ahead + sum(min(each.queued, each.can_start_within(held_up)) for each in others)
    before = max(by_turn, min(meanwhile, free + slots * held_up)) if held_up else by_turn
    return Forecast(before=round(before), rounds=max(held_up, (by_turn + 1 - free) / slots, 0.0))


def _rounds_of_all_ahead(own: Share, others: Sequence[Share], slots: int) -> float:
    """After how many rounds the slots have taken all with an earlier turn.

    An account whose limit makes it take longer keeps as many slots as it may have. All others share the rest.
    """
    ahead, left = own.ahead + sum(each.ahead for each in others), slots
    for each in sorted(others, key=lambda each: each.ahead / each.limit, reverse=True):
        if each.ahead / each.limit <= ahead / left or left <= each.limit:
            break
        ahead, left = ahead - each.ahead, left - each.limit
    return ahead / left


def _work_out(job: Job) -> dict[str, int | None]:
    kinds = Job.objects.queued_beside(job)
    own, *others = _shares(job.account_id, kinds)
    found = forecast(own, others, max(1, Sign.objects.processes(), sum(each.at_work for each in (own, *others))))
    ahead = sum(kind.ahead for kind in kinds)
    seconds = sum(kind.ahead * mean_seconds(kind.operation, kind.mode) for kind in kinds)
    length = seconds / ahead if ahead else mean_seconds(job.operation, job.mode)
    return {"queue_position": found.before + 1, "eta_seconds": ceil(found.rounds * length + likely_seconds(job))}


def _shares(account_id: int, kinds: Sequence[QueuedKind]) -> list[Share]:
    """That of this account, and then those of all others."""
    ahead: Counter[int] = Counter()
    queued: Counter[int] = Counter()
    for kind in kinds:
        ahead[kind.account_id] += kind.ahead
        queued[kind.account_id] += kind.queued
    at_work = Job.objects.at_work_by_account()
    accounts = Account.objects.in_bulk({account_id, *queued, *at_work})
    return [
        Share(ahead=ahead[pk], queued=queued[pk], at_work=at_work.get(pk, 0), limit=account.limits.concurrent_jobs)
        for pk, account in sorted(accounts.items(), key=lambda each: each[0] != account_id)
    ]
