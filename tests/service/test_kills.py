"""The short form of `python -m bench.faults`: processes of each set are killed at random under a backlog of jobs."""

import tempfile
from pathlib import Path

import pytest

from bench.faults.kills import Plan, kill_and_report
from bench.sets import SETS, receiver

_PLAN = Plan(jobs=12, kills=6, backlog=8, seed=3)


@pytest.mark.parametrize("name", SETS)
def test_kills_lose_no_job_and_leave_nothing_behind(name: str) -> None:
    # Not in pytest's folders: every run that starts closes them to other users, of whom one runs the database.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, receiver() as hook:
        with SETS[name](Path(folder), {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}) as running:
            outcome = kill_and_report(running, hook, _PLAN)
        assert outcome.is_flawless, outcome
        assert running.left() == []
