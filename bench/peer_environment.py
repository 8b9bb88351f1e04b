"""The peers' own virtual environment, made at the first run and whenever its requirements change."""

import subprocess
import sys
import venv
from pathlib import Path

from .scenes import DATA

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_FOLDER = DATA / "peers-venv"


def peer_python() -> Path:
    """The interpreter that runs the peers."""
    python, installed = _FOLDER / "bin" / "python", _FOLDER / "installed.txt"
    if not installed.exists() or installed.read_text() != _REQUIREMENTS.read_text():
        print(f"installing the peers into {_FOLDER}, once", file=sys.stderr, flush=True)
        venv.create(_FOLDER, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", _REQUIREMENTS], check=True)
        installed.write_text(_REQUIREMENTS.read_text())
    return python
