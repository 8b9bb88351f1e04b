"""What the staff console takes at a million jobs: `python -m bench.queue.console [--jobs N] [--sqlite]`.

On a new PostgreSQL from a pip package, or a new SQLite file: every page of the console, and each filter and way of
searching of the job list. Fails if a page takes more than 12 statements or 300 ms (the median of 20).
"""

import sys
from collections.abc import Mapping

from bench.markdown import table

from .database import new_database, options_of
from .measuring import Measured, measure

_MOST_STATEMENTS, _MOST_MILLISECONDS = 12, 300


def main() -> None:
    options = options_of("python -m bench.queue.console", __doc__)
    with new_database(sqlite=options.sqlite):
        from .console_pages import ConsolePages  # needs the models

        pages = ConsolePages.on_new_rows(options.jobs, options.queued).all()
        measured = {what: measure(page) for what, page in pages.items()}
    print(
        table(
            ["page", "median ms", "slowest ms", "statements"], [[what, *each.cells] for what, each in measured.items()]
        )
    )
    sys.exit(1 if _too_slow(measured) else 0)


def _too_slow(measured: Mapping[str, Measured]) -> bool:
    return any(
        each.milliseconds > _MOST_MILLISECONDS or each.statements > _MOST_STATEMENTS for each in measured.values()
    )


if __name__ == "__main__":
    main()
