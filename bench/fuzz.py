"""Sends odd requests to every path, by every method: `python -m bench.fuzz [--cases 10000]`.

On SQLite and on a PostgreSQL of its own. Then odd answers and URLs to the code that asks other hosts. These are the
tests of `_OF_CALLERS` and `_OF_HOSTS` with more cases. Prints which branches they have taken of the code that reads
requests, and of the code that asks hosts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.production_set import production_set

ROOT = Path(__file__).resolve().parents[1]
_READERS = (
    *("astra/parsing/*", "astra/middleware.py", "astra/exceptions.py", "astra/views.py", "accounts/authentication.py"),
    *("accounts/keys.py", "processing/api/submit_request.py", "processing/api/param_sentences.py"),
    *("processing/api/job_query.py", "processing/api/downloads.py", "processing/api/views.py"),
    *("processing/signed_links.py", "processing/raster/aoi.py", "processing/raster/params.py", "processing/http/*"),
)
_OF_CALLERS, _OF_HOSTS = "tests/test_fuzz.py", "tests/processing/http/test_fuzz_hosts.py"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="on each database (default %(default)s)")
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "coverage"
        print("SQLite", flush=True)
        status = _fuzz(_OF_CALLERS, cases, data, {})
        print("PostgreSQL", flush=True)
        with production_set() as production:
            status |= _fuzz(_OF_CALLERS, cases, data, production)
        print("Hosts", flush=True)
        status |= _fuzz(_OF_HOSTS, cases // 10, data, {})
        report = ["-m", "coverage", "report", f"--data-file={data}", "--show-missing"]
        subprocess.run([sys.executable, *report], cwd=ROOT, check=False)
    sys.exit(status)


def run_pytest(test: str, variables: Mapping[str, str], *before: str) -> int:
    """The status of the run. `before` are arguments of Python that stand before `-m pytest`."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings"}  # not those that this process has loaded
    environment = {**os.environ, **settings, **variables, "ASTRA_LOG_LEVEL": "CRITICAL"}
    command = [sys.executable, *before, "-m", "pytest", test, "-n", "0", "-s", "--show-capture=no"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _fuzz(test: str, cases: int, data: Path, variables: Mapping[str, str]) -> int:
    """The status of the run; its branches are added to those in `data`."""
    measured = ("--append", "--branch", f"--data-file={data}", f"--include={','.join(_READERS)}")
    return run_pytest(test, {**variables, "FUZZ_CASES": str(cases)}, "-m", "coverage", "run", *measured)


if __name__ == "__main__":
    main()
