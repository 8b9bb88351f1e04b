"""The operations. One module is one operation, and the module's name is its name in the API.

A module defines `OPERATION`, an instance of `Operation`; nothing else has to be touched to add one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from ..params import Params
from ..types import Float64Array, PixelArray, PixelFormat, Pixels, SceneId

P = TypeVar("P", bound=Params)


class Tally(Protocol):
    """Gathers the statistics of a result while its windows pass by, at full resolution."""

    @property
    def valid(self) -> int:
        """Number of valid pixels so far."""

    def add(self, values: PixelArray, pixel_areas: Float64Array) -> None:
        """Take the values of a window: (rows, columns), and the area of a pixel of each row in m2: (rows,)."""

    def merge(self, other: Self) -> None:
        """Take in what another tally of the same operation gathered."""

    def statistics(self) -> dict[str, Any]:
        """What the result says about its values. At least one pixel is valid."""


class Operation(ABC, Generic[P]):
    """Pixels in, pixels out: no file, no network. The pipeline brings windows and takes windows away.

    `compute` gives the values that the statistics are about; `encode` lays them down in the pixel format.
    """

    title: ClassVar[str]
    description: ClassVar[str]
    scene_roles: ClassVar[tuple[str, ...]]
    params_model: type[P]

    def normalise(self, params: P, scene_ids: Sequence[SceneId]) -> P:
        """The params as they are kept with the job. Raises InvalidParams where they cannot work with these scenes.

        Asks nobody: what only a catalogue knows is found out when the job runs.
        """
        return params

    @abstractmethod
    def bands(self, params: P) -> tuple[str, ...]:
        """Names of the bands that every scene has to bring."""

    @property
    @abstractmethod
    def nothing(self) -> np.generic:
        """The value of an invalid pixel, in the dtype of all values."""

    @abstractmethod
    def pixel_format(self, params: P) -> PixelFormat: ...

    @abstractmethod
    def compute(self, params: P, scenes: Sequence[Pixels]) -> PixelArray:
        """Values of one window: (rows, columns), from the pixels of each scene in the order of `scene_roles`."""

    @abstractmethod
    def encode(self, params: P, values: PixelArray) -> PixelArray:
        """The same window as it stands in the file."""

    @abstractmethod
    def tally(self, params: P) -> Tally: ...

    def result_fields(self, params: P) -> Mapping[str, Any]:
        """Fields of the result beside those that every result has."""
        return {}

    def file_statistics(self, params: P, statistics: Mapping[str, Any]) -> Mapping[str, float]:
        """What of the statistics holds for the numbers in the file, but for their rounding.

        By name: `minimum`, `maximum`, `mean`, `stddev`.
        """
        return {}

    def warnings(self, params: P) -> tuple[str, ...]:
        """What the caller should know about a result with these params."""
        return ()


@cache
def all_operations() -> Mapping[str, Operation[Any]]:
    """Every operation by its name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").OPERATION for name in names}


def get_operation(name: str) -> Operation[Any]:
    """The operation of that name. KeyError where there is none."""
    return all_operations()[name]
