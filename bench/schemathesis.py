"""Sends what schemathesis makes of the OpenAPI document: `python -m bench.schemathesis [--cases 10000]`.

On SQLite, then on a PostgreSQL, a Valkey and an S3 server of its own. This is the test `_TEST` with more cases: no
answer may be a 5xx, or have a status, header or body that is not described.
"""

import argparse
import sys

from tests.production_set import production_set

from .fuzz import run_pytest

_TEST = "tests/processing/api/schema/test_schemathesis.py"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.schemathesis", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="on each database (default %(default)s)")
    cases = {"SCHEMATHESIS_CASES": str(parser.parse_args().cases)}
    print("SQLite", flush=True)
    status = run_pytest(_TEST, cases)
    print("PostgreSQL", flush=True)
    with production_set() as production:
        status |= run_pytest(_TEST, {**production, **cases})
    sys.exit(status)


if __name__ == "__main__":
    main()
