"""requirements.lock is requirements.txt with the hashes of all files."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
MAKE_IT_AGAIN = "requirements.txt has changed: make the lock again as CONTRIBUTING.md says"


def pins(text: str) -> dict[str, Requirement]:
    """The requirements by their names, in which case, dots and underscores do not count."""
    lines = (line.split(" #")[0].rstrip(" \\") for line in text.splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith((" ", "#"))]
    return {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in found}


def test_lock_has_the_versions_of_the_requirements_and_no_others() -> None:
    wanted = pins((ROOT / "requirements.txt").read_text())
    locked = pins((ROOT / "requirements.lock").read_text())
    versions = {name: str(locked[name].specifier) if name in locked else None for name in wanted}
    assert versions == {name: str(pin.specifier) for name, pin in wanted.items()}, MAKE_IT_AGAIN
    # What only some Python or platform needs stands in the lock alone.
    assert {name for name, pin in locked.items() if pin.marker is None} <= wanted.keys(), MAKE_IT_AGAIN


def test_every_locked_file_is_known_by_its_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    for pin in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert _HASH.search(pin), pin
    assert "://" not in text, "an index of packages is named"
