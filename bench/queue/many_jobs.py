"""What requests and sweeps take at a million jobs: `python -m bench.queue.many_jobs [--jobs N] [--sqlite]`.

On a new PostgreSQL from a pip package, or a new SQLite file. Each step is taken 20 times: the median, the slowest, and
its statements of SQL, without those that begin and end transactions.
"""

import time

from bench.markdown import table

from .database import new_database, options_of
from .measuring import measure


def main() -> None:
    options = options_of("python -m bench.queue.many_jobs", __doc__)
    with new_database(sqlite=options.sqlite):
        from .steps import Steps  # needs the models

        began = time.monotonic()
        steps = Steps.on_new_rows(options.jobs, options.queued)
        name = "SQLite" if options.sqlite else "PostgreSQL"
        print(f"{options.jobs} jobs on {name}, {options.queued} queued, written in {time.monotonic() - began:.0f} s\n")
        rows = [[what, *measure(step).cells] for what, step in steps.all().items()]
        print(table(["step", "median ms", "slowest ms", "statements"], rows))


if __name__ == "__main__":
    main()
