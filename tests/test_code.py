"""The code's own rules: style, types, who may import whom, migrations that match the models, pinned packages."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TypeGuard

import pytest

import astra

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        [BIN / "ruff", "check", "."],
        [BIN / "ruff", "format", "--check", "."],
        [BIN / "mypy"],
        [BIN / "lint-imports"],
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
    ],
    ids=lambda command: " ".join(Path(str(part)).name for part in command),
)
def test_rule_holds(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


PACKAGES = [
    package
    for name in ("astra", "accounts", "processing", "client/astra_client")
    for package in (ROOT / name, *(ROOT / name).rglob("*"))
    if (package / "__init__.py").exists() and package.name not in ("migrations", "management", "commands")
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_room_is_small_and_says_what_it_is_for(package: Path) -> None:
    modules = [file for file in package.glob("*.py") if file.name != "__init__.py"]
    assert len(modules) <= 14
    assert [file.name for file in modules if len(file.read_text().splitlines()) > 300] == []
    room = ast.parse((package / "__init__.py").read_text())
    assert ast.get_docstring(room)
    exported = [ast.literal_eval(node.value) for node in room.body if is_export(node)]
    assert all(len(names) <= 4 for names in exported)
    is_apart = package.parent == ROOT or package.name in ("raster", "embedded")
    assert exported or is_apart, "a room exports its public names"


def is_export(node: ast.stmt) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


PEERS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "bench/peers/requirements").glob("*.txt"))


@pytest.mark.parametrize("file", ["requirements.txt", "tests/requirements.txt", *PEERS])
def test_requirements_are_pinned_and_sorted(file: str) -> None:
    for part in (ROOT / file).read_text().split("\n\n"):
        lines = [line for line in part.splitlines() if not line.startswith("#")]
        assert [line for line in lines if not re.match(r"[\w.-]+(\[[\w,]+\])?==\d", line)] == []
        assert names(lines) == sorted(names(lines))


def test_no_package_is_required_twice() -> None:
    required = names((ROOT / "requirements.txt").read_text().splitlines())
    required += names((ROOT / "tests" / "requirements.txt").read_text().splitlines())
    assert sorted(required) == sorted(set(required))


def names(lines: list[str]) -> list[str]:
    """The packages that are required, spelled as in an index."""
    found = [re.match(r"[\w.-]+", line) for line in lines]
    return [re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match]


def test_version_is_written_once_and_the_changelog_begins_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "astra.__version__"}
    newest = re.search(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert newest[1] == astra.__version__
