"""Plug-ins are found because they are there; helpers beside them are not plug-ins."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.raster.catalogues import providers
from processing.raster.catalogues.providers._discovery import all_providers
from processing.raster.plugins import plugin_modules

HOUSE = "house_of_plugins"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of an importable package without modules."""
    folder = tmp_path / HOUSE
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == HOUSE]:
        del sys.modules[name]


def test_modules_are_found_in_alphabetical_order(house: Path) -> None:
    for name in ("pear", "apple", "quince"):
        (house / f"{name}.py").write_text(f"NAME = {name!r}")
    found = plugin_modules(HOUSE)
    assert [(name, module.NAME) for name, module in found.items()] == [
        ("apple", "apple"),
        ("pear", "pear"),
        ("quince", "quince"),
    ]


def test_helper_is_no_plugin_and_is_not_even_imported(house: Path) -> None:
    (house / "apple.py").touch()
    (house / "_shared.py").write_text("raise RuntimeError('imported')")
    assert list(plugin_modules(HOUSE)) == ["apple"]


def test_package_can_be_a_plugin(house: Path) -> None:
    (house / "orchard").mkdir()
    (house / "orchard" / "__init__.py").touch()
    assert list(plugin_modules(HOUSE)) == ["orchard"]


def test_folder_that_is_appended_later_counts(house: Path, tmp_path: Path) -> None:
    (house / "apple.py").touch()
    assert list(plugin_modules(HOUSE)) == ["apple"]
    more = tmp_path / "more"
    more.mkdir()
    (more / "pear.py").touch()
    sys.modules[HOUSE].__path__.append(str(more))
    assert list(plugin_modules(HOUSE)) == ["apple", "pear"]


def test_broken_plugin_is_not_passed_over(house: Path) -> None:
    (house / "apple.py").write_text("import no_such_module")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        plugin_modules(HOUSE)


def test_helper_of_the_catalogues_is_no_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(all_providers())
    (tmp_path / "_shared.py").touch()
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    assert list(all_providers()) == before
