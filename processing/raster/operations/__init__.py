"""The operations. One module is one operation, and the module's name is its name in the API.

A module defines `OPERATION`, an instance of `Operation`; nothing else has to be touched to add one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from ..types import PixelArray, PixelFormat, Pixels


class Params(BaseModel):
    """Base of every operation's params: exact types, no unknown names, never changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


P = TypeVar("P", bound=Params)


class Tally(Protocol):
    """Gathers the statistics of a result while its windows pass by, at full resolution."""

    @property
    def valid(self) -> int: ...

    def add(self, values: PixelArray) -> None: ...

    def statistics(self) -> Mapping[str, Any]: ...


class Operation(ABC, Generic[P]):
    """Pixels in, pixels out: no file, no network. The pipeline brings windows and takes windows away.

    `compute` gives the values that the statistics are about; `encode` lays them down in the pixel format.
    """

    title: ClassVar[str]
    description: ClassVar[str]
    scene_roles: ClassVar[tuple[str, ...]]
    params_model: type[P]

    @abstractmethod
    def bands(self, params: P) -> tuple[str, ...]:
        """Names of the bands that every scene has to bring."""

    @abstractmethod
    def pixel_format(self, params: P) -> PixelFormat: ...

    @abstractmethod
    def compute(self, params: P, scenes: Sequence[Pixels]) -> PixelArray:
        """Values of one window: (rows, columns), from the pixels of each scene in the order of `scene_roles`."""

    @abstractmethod
    def encode(self, params: P, values: PixelArray) -> PixelArray:
        """The same window as it stands in the file."""

    @abstractmethod
    def tally(self) -> Tally: ...


@cache
def all_operations() -> Mapping[str, Operation[Any]]:
    """Every operation by its name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").OPERATION for name in names}


def get_operation(name: str) -> Operation[Any]:
    """The operation of that name. KeyError where there is none."""
    return all_operations()[name]
