"""The virtual environments of the peers, made at the first run and whenever their requirements change.

Each file in bench/peers/requirements is one, on the newest Python of this machine that its packages can use.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .scenes import DATA

_REQUIREMENTS = Path(__file__).parent / "peers" / "requirements"
_MINOR_VERSIONS = range(14, 9, -1)
_VERSION_FILE = "installed.txt"


class NotInstallable(Exception):
    """No Python of this machine can use the packages. A sentence that says why."""


@cache
def peer_python(name: str = "dask") -> Path:
    """The interpreter that runs the peers of that environment. Raises NotInstallable."""
    folder, wanted = DATA / f"peers-{name}", (_REQUIREMENTS / f"{name}.txt").read_text()
    installed = folder / _VERSION_FILE
    if not installed.exists() or installed.read_text() != wanted:
        print(f"installing the peers into {folder}, once", file=sys.stderr, flush=True)
        _install(folder, _REQUIREMENTS / f"{name}.txt")
        installed.write_text(wanted)
    return folder / "bin" / "python"


def _install(folder: Path, requirements: Path) -> None:
    fault = "this machine has no Python"
    for python in _pythons():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        done = subprocess.run([*pip, "-r", requirements], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        fault = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
    raise NotInstallable(f"{requirements.name} cannot be installed: {fault}")


def _pythons() -> Iterator[Path]:
    """Those of this machine, the newest first: on the path, or beside this one where pyenv keeps them."""
    kept = Path(sys.base_prefix).parent
    for minor in _MINOR_VERSIONS:
        name = f"python3.{minor}"
        found = [Path(path) for path in [shutil.which(name)] if path]
        for python in [*sorted(kept.glob(f"3.{minor}.*/bin/{name}")), *found]:
            if (
                subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode
                == 0
            ):
                yield python
                break
