"""Processes of the project with variables of their own, none of which they inherit."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECRET = "correct-horse-battery-staple-" * 2
PRODUCTION = {
    "DATABASE_URL": "postgres://astra:pass%40word@db.example:5433/jobs",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "astra.example, www.astra.example",
}
_MANY = {"requests_per_minute": 10**6, "requests_per_day": 10**9, "burst": 10**6, "queued_jobs": 10**6}
# For tests and benchmarks of something else than limits, which send requests as fast as they can.
UNHURRIED = json.dumps(dict.fromkeys(("free", "pro", "scale", "enterprise"), _MANY))
OURS = ("ASTRA_", "AWS_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DJANGO_")


def inherited() -> dict[str, str]:
    """This process's variables without the project's own: a new process of the project begins with no setting."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def run(data: Path, variables: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**inherited(), "ASTRA_DATA_DIR": str(data), **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def read(data: Path, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All settings as text or JSON."""
    program = (
        "import json, astra.settings as s;"
        "print(json.dumps({n: getattr(s, n) for n in dir(s) if n.isupper()}, default=str))"
    )
    done = run(data, variables or {}, "-c", program)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def refusal(data: Path, variables: Mapping[str, str]) -> str:
    """The sentence that `manage.py check` stops with."""
    done = run(data, variables, "manage.py", "check")
    assert done.returncode == 2, f"accepted: {done.stdout}{done.stderr}"
    (sentence,) = done.stderr.splitlines()
    assert sentence.endswith(".")
    return sentence
