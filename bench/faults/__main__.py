"""`python -m bench.faults [--sets NAME ...] [--jobs N] [--kills N] [--backlog N] [--named]`.

Starts each set with new data and ends its processes by SIGKILL at random, while a backlog of jobs of the sandbox waits.
Prints what became of the jobs, how long those at work at a kill took from there to their end, and how long webhooks
took. With --named the five faults of public benchmarks instead, on the production set, with another one beside it.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..sets import SETS, receiver
from ..sets.production import production
from .kills import Plan, kill_and_report
from .named import compare_throughput


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--backlog", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--named", action="store_true", help="the five named faults instead")
    parser.add_argument("--window", type=float, default=30.0, help="seconds in which throughput is counted")
    parser.add_argument("--rounds", type=int, default=3, help="of all named faults")
    options = parser.parse_args()
    if options.named:
        _compare_named(options.window, options.rounds)
        return
    plan = Plan(jobs=options.jobs, kills=options.kills, backlog=options.backlog, seed=options.seed)
    for name in options.sets:
        print(f"\n## {name}", flush=True)
        with _new_folder() as folder, receiver() as hook:
            with SETS[name](folder, {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}) as running:
                kill_and_report(running, hook, plan)
            print("processes left:", len(running.left()), flush=True)


def _compare_named(window: float, rounds: int) -> None:
    with (
        receiver() as hook,
        _new_folder() as folder,
        _new_folder() as of_twin,
        production(folder, {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}) as running,
        production(of_twin, {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}) as twin,
    ):
        compare_throughput(running, twin, window, rounds)


@contextmanager
def _new_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


main()
