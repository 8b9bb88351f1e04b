"""The short form of `python -m bench.faults`: processes of each set are killed at random under a backlog of jobs."""

from pathlib import Path

import pytest

from bench.faults.kills import Plan, kill_and_report
from bench.sets import SETS, receiver

_PLAN = Plan(jobs=12, kills=6, backlog=8, seed=3)


@pytest.mark.parametrize("name", SETS)
def test_kills_lose_no_job_and_leave_nothing_behind(name: str, tmp_path: Path) -> None:
    with receiver() as hook:
        with SETS[name](tmp_path, {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}) as running:
            outcome = kill_and_report(running, hook, _PLAN)
        assert outcome.is_flawless, outcome
        assert running.left() == []
