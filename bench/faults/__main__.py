"""`python -m bench.faults [--sets NAME ...] [--jobs N] [--kills N] [--backlog N] [--named]`.

Starts each set with new data and ends its processes by SIGKILL at random, while a backlog of jobs of the sandbox waits.
Prints what became of the jobs, how long those at work at a kill took from there to their end, and how long webhooks
took. With --named the five faults of public benchmarks instead, on the production set.
"""

import argparse
import tempfile
from pathlib import Path

from ..sets import SETS, receiver
from ..sets.production import Production
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
    plan = Plan(jobs=options.jobs, kills=options.kills, backlog=options.backlog, seed=options.seed)
    for name in ["production"] if options.named else options.sets:
        print(f"\n## {name}", flush=True)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, receiver() as hook:
            environment = {"ASTRA_WEBHOOK_PRIVATE_HOSTS": hook.host}
            with SETS[name](Path(folder), environment) as running:
                if isinstance(running, Production) and options.named:
                    compare_throughput(running, options.window, options.rounds)
                else:
                    kill_and_report(running, hook, plan)
            print("processes left:", len(running.left()), flush=True)


main()
