"""What the documentation says is so: its picture, its map, and the commands that stand in several files."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.draw_imports import PICTURE, ROOT, diagram, with_others, without_implied

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()

# --- The picture of the imports -------------------------------------------------------------------------------------


def test_picture_of_imports_is_what_its_command_draws_now(tmp_path: Path) -> None:
    drawn = tmp_path / "imports.svg"
    subprocess.run([sys.executable, "-m", "docs.draw_imports", drawn], cwd=ROOT, check=True)
    is_current = drawn.read_text() == PICTURE.read_text()
    assert is_current, "Imports have changed. Draw them anew: .venv/bin/python -m docs.draw_imports"


@pytest.mark.parametrize(
    ("arrows", "left"),
    [
        ("ab bc ac", "ab bc"),
        ("ab bc cd ad bd", "ab bc cd"),
        ("ab ac bd cd", "ab ac bd cd"),
        ("ab", "ab"),
    ],
)
def test_arrow_that_follows_from_others_is_left_out(arrows: str, left: str) -> None:
    assert without_implied(frozenset(map(_arrow, arrows.split()))) == set(map(_arrow, left.split()))


def test_modules_outside_of_the_layers_stand_below_their_importers_or_above_what_they_import() -> None:
    layers = {"a": 0, "b": 1}
    rows = with_others(layers, frozenset(map(_arrow, ("ax", "bx", "xy", "zy"))))
    assert rows == {**layers, "x": 2, "y": 3, "z": 2}


def test_import_that_leads_up_is_a_wrong_arrow() -> None:
    up = ("processing.raster.errors", "processing.raster.pipeline")
    down = ("processing.raster.pipeline", "processing.raster.windows")
    drawn = diagram("", "processing.raster", frozenset({up, down}))
    assert (drawn.arrows, drawn.wrong_arrows) == (frozenset({down}), frozenset({up}))


def _arrow(letters: str) -> tuple[str, str]:
    return letters[0], letters[1]


# --- Map and commands -----------------------------------------------------------------------------------------------


def test_map_of_the_readme_names_only_what_is_there() -> None:
    missing = [str(path) for path in mapped_paths() if not (ROOT / path).exists()]
    assert missing == []


def mapped_paths() -> Iterator[Path]:
    """What the README's map names; a line that is indented names what lies in the folder above it."""
    folders: list[tuple[int, Path]] = []
    for line in map_lines():
        indent = len(line) - len(line.lstrip())
        folders = [(depth, folder) for depth, folder in folders if depth < indent]
        parent = folders[-1][1] if folders else Path()
        paths = [parent / name for name in re.split(r"\s{2,}", line.strip())[0].split()]
        folders.append((indent, paths[0]))
        yield from paths


def map_lines() -> list[str]:
    section = README.partition("\n## Map of the code\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("    ")]
    assert lines
    return lines


def recipes() -> dict[str, str]:
    """The commands of the justfile by the names of their recipes, without what a caller adds."""
    text = (ROOT / "justfile").read_text()
    found = re.findall(r"^(\w+)(?: \*arguments)?:\n    (.+)$", text, flags=re.MULTILINE)
    return {name: command.replace(" {{ arguments }}", "") for name, command in found if not name.startswith("_")}


def test_every_recipe_stands_in_contributing_as_a_plain_command() -> None:
    assert set(recipes()) == {"setup", "check", "test", "demo", "bench"}
    assert [command for command in recipes().values() if command not in CONTRIBUTING] == []


@pytest.mark.parametrize("name", ["setup", "test", "demo", "bench"])
def test_recipe_is_the_command_of_the_readme(name: str) -> None:
    assert recipes()[name] in README
