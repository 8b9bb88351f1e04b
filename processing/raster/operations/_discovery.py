"""Finds the operations."""

from collections.abc import Mapping
from typing import Any

from ..plugins import plugin_modules
from ._operation import Operation

_PACKAGE = __name__.rpartition(".")[0]


def all_operations() -> Mapping[str, Operation[Any]]:
    """Every operation by its name, in alphabetical order."""
    return {name: module.OPERATION for name, module in plugin_modules(_PACKAGE).items()}


def get_operation(name: str) -> Operation[Any]:
    """The operation of that name. Raises KeyError if there is none."""
    return all_operations()[name]
