"""Plug-ins: every module of a package is one, and is found because it is there."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType


def plugin_modules(package: str) -> Mapping[str, ModuleType]:
    """The modules of the package by name, in alphabetical order. A name that begins with `_` is a helper, no plug-in.

    They are listed anew only when one of the package's folders has changed, or when it has another `__path__`.
    """
    folders = tuple((path, Path(path).stat().st_mtime_ns) for path in import_module(package).__path__)
    return _listed(package, folders)


@lru_cache(maxsize=16)  # there are two such packages; the rest is for those of tests
def _listed(package: str, folders: tuple[tuple[str, int], ...]) -> Mapping[str, ModuleType]:
    names = sorted(module.name for module in iter_modules([path for path, _ in folders]))
    return {name: import_module(f"{package}.{name}") for name in names if not name.startswith("_")}
