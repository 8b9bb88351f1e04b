"""Interleavings of what callers, workers, sweeps and staff do: `python -m bench.queue.simulation [--runs 100000]`.

The simulation of the tests, on all cores. `--seed N --path P` replays the interleaving that broke a rule.
"""

import argparse
import os
import time
from multiprocessing import get_context

import django
from django.core.management import call_command


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queue.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="interleavings, at least")
    parser.add_argument("--first-seed", type=int, default=1000, help="the tests begin at 0")
    parser.add_argument("--seed", type=int, help="only those of this seed")
    parser.add_argument("--path", default="", help="with --seed: only this one")
    options = parser.parse_args()
    if options.seed is None:
        _run(options.runs, options.first_seed)
        return
    _get_ready()
    print("{} interleavings, {} acts, no rule broken".format(*_simulate(options.seed, options.path)))


def _run(runs: int, first_seed: int) -> None:
    """Raises RuleBroken, which says how to replay it."""
    _get_ready()
    from tests.processing.models.simulation import ACTS, PER_SEED

    began, seeds = time.monotonic(), range(first_seed, first_seed - (-runs // PER_SEED))
    with get_context("spawn").Pool(initializer=_get_ready) as pool:
        counts = list(pool.imap_unordered(_simulate, seeds, chunksize=8))
    interleavings, acts = (sum(count) for count in zip(*counts, strict=True))
    took = time.monotonic() - began
    print(f"{interleavings} interleavings of {ACTS} acts, {acts} acts in all, no rule broken, {took:.0f} s")


def _simulate(seed: int, path: str = "") -> tuple[int, int]:
    from tests.processing.models.simulation import Simulation

    simulation = Simulation(seed, path)
    simulation.run()
    return simulation.interleavings, simulation.acts


def _get_ready() -> None:
    """Each process has a database of its own in memory."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = ":memory:"
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main()
