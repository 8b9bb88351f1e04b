"""The client as it is installed, and what it says of itself."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import astra
import astra_client
from astra_client import Job, errors

CLIENT = Path(__file__).resolve().parents[2] / "client"


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which `pip install` puts the client. Its dependencies are those of these tests."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *options, "--target", folder, CLIENT)
    return folder


def test_installed_command_runs(installed: Path) -> None:
    said = run(installed / "bin" / "astra", "--version", PYTHONPATH=str(installed))
    assert astra_client.__version__ in said


def test_installed_package_is_typed(installed: Path) -> None:
    assert (installed / "astra_client" / "py.typed").is_file()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(installed: Path, shell: str) -> None:
    script = run(installed / "bin" / "astra", "completion", shell, PYTHONPATH=str(installed))
    assert "_ASTRA_COMPLETE" in script


def test_commands_and_options_are_completed(installed: Path) -> None:
    environment = {"PYTHONPATH": str(installed), "_ASTRA_COMPLETE": "bash_complete"}
    commands = run(installed / "bin" / "astra", COMP_WORDS="astra c", COMP_CWORD="1", **environment)
    options = run(installed / "bin" / "astra", COMP_WORDS="astra ndvi --col", COMP_CWORD="2", **environment)
    assert {line.partition(",")[2] for line in commands.splitlines()} == {"cancel", "change", "completion"}
    assert "--colormap" in options


def test_what_the_readme_shows_is_there() -> None:
    readme = (CLIENT / "README.md").read_text()
    assert set(re.findall(r"errors\.(\w+)", readme)) <= set(vars(errors))
    assert set(re.findall(r"astra\.(\w+)\(", readme)) <= set(vars(astra_client.Astra))
    commands = {line.split()[1] for line in re.findall(r"^    (astra .*)", readme, flags=re.MULTILINE)}
    from astra_client.cli.commands import astra as group

    assert commands == set(group.commands)


def test_blocking_and_async_client_have_the_same_methods() -> None:
    public = [{name for name in vars(kind) if not name.startswith("_")} for kind in CLIENTS]
    assert public[0] == public[1]


CLIENTS = (astra_client.Astra, astra_client.AsyncAstra)


def test_python_3_10_is_enough() -> None:
    """As far as its type checker tells."""
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.10"
    run(sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--config-file=", CLIENT / "astra_client")


def test_client_and_service_have_one_version() -> None:
    assert astra_client.__version__ == astra.__version__


def test_library_that_is_missing_is_named() -> None:
    job = Job({"job_id": "job_1", "status": "completed", "result": {"href": "https://astra.example/out.tif"}})
    pytest.importorskip("rasterio")
    with pytest.raises(errors.NotInstalled, match=r"astra-client\[xarray\]"):
        job.open("xarray")


@pytest.mark.parametrize(
    ("result", "error"), [(None, errors.NoResult), ({"href": None, "expired": True}, errors.ResultDeleted)]
)
def test_file_that_is_not_there_is_not_opened(result: object, error: type[errors.AstraError]) -> None:
    with pytest.raises(error):
        Job({"job_id": "job_1", "status": "completed", "result": result}).open()
