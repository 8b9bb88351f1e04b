"""The suites of jobs, storage and sweep once more: on PostgreSQL, Valkey and S3, not on SQLite and the local disk."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.production_set import production_set

ROOT = Path(__file__).resolve().parents[1]
SUITES = {
    "jobs": ["models", "api/test_idempotency.py", "api/test_list.py", "workers"],
    "storage": ["test_execution.py", "test_execution_in_trouble.py", "test_reconcile.py"],
    "sweep": ["test_sweep.py", "webhooks", "watch/test_metrics.py"],
}


@pytest.fixture(scope="module")
def servers(sandbox: Path) -> Iterator[Mapping[str, str]]:
    """The environment in which tests use them."""
    with production_set() as environment:
        yield {**environment, "ASTRA_TEST_SANDBOX": str(sandbox)}


@pytest.mark.parametrize("suite", SUITES)
def test_suite_passes_on_the_production_set(
    servers: Mapping[str, str], suite: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files = [f"tests/processing/{name}" for name in SUITES[suite]]
    options = ["-n0", "--tb=short", f"--junit-xml={tmp_path / 'report.xml'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], cwd=ROOT, env=servers, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    passed = passed_modules(tmp_path / "report.xml")
    for file in files:
        module = file.removesuffix(".py").replace("/", ".")
        assert any(name.startswith(module) for name in passed), f"no test of {file} was run"
    record_property("on PostgreSQL, Valkey and S3", len(passed))


def passed_modules(report: Path) -> list[str]:
    """Of each test that passed, its module."""
    return [case.get("classname", "") for case in ElementTree.parse(report).iter("testcase") if not len(case)]
