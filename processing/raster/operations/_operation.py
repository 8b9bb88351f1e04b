"""What an operation has to define, and what its statistics are gathered with."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from ..params import Params
from ..types import PREVIEW, THUMBNAIL, BoolArray, Float64Array, PixelArray, PixelFormat, Pixels, SceneId

P = TypeVar("P", bound=Params)


class Tally(Protocol):
    """Gathers the statistics of a result window by window, at full resolution."""

    @property
    def valid(self) -> int:
        """Number of valid pixels so far."""

    def add(self, values: PixelArray, pixel_areas: Float64Array) -> None:
        """Count the values of a window, (rows, columns). `pixel_areas` is the area of a pixel in m2, for each row."""

    def merge(self, other: Self) -> None:
        """Count what another tally of the same operation has counted."""

    def statistics(self) -> dict[str, Any]:
        """The statistics of the result. Called only if at least one pixel is valid."""

    def quality(self) -> Mapping[str, float | None]:
        """What the values say about how far the result can be trusted. Called like `statistics`."""


class Operation(ABC, Generic[P]):
    """Pixels in, pixels out: an operation opens no file and asks no host. The pipeline reads and writes the windows.

    An operation is one module of this package; its `OPERATION` is an instance of this class. What it can do:

    - It takes a fixed number of scenes, one for each of `scene_roles`.
    - Its result is one band on one grid, which covers what all scenes share.
    - It works pixel by pixel: `compute` sees windows of any size and order, and no neighbour of a window.
    - It gets bands of reflectance by common name, the same names from every scene; no thermal band and no mask. A pixel
      that a mask hides is not valid.
    - Its statistics come from the tally alone, which sees every value once.
    """

    title: ClassVar[str]
    description: ClassVar[str]
    scene_roles: ClassVar[tuple[str, ...]]
    params_model: type[P]

    def normalise(self, params: P, scene_ids: Sequence[SceneId]) -> P:
        """The params as the job keeps them. Raises InvalidParams if they cannot work with these scenes.

        No catalogue is asked: what only a catalogue knows is checked when the job runs.
        """
        return params

    @abstractmethod
    def bands(self, params: P) -> tuple[str, ...]:
        """Common names of the bands that every scene must have."""

    @property
    @abstractmethod
    def nothing(self) -> np.generic:
        """The value of an invalid pixel, in the dtype of all values."""

    @abstractmethod
    def pixel_format(self, params: P) -> PixelFormat:
        """How the result's band is stored."""

    def shown_as(self, params: P) -> P:
        """The params of the same result in a palette, as a picture shows it: `encode` makes its DN of the values."""
        return params

    @property
    def pictures(self) -> tuple[str, ...]:
        """What all pictures of a result are called."""
        return (PREVIEW, THUMBNAIL, *self.scene_pictures)

    @property
    def scene_pictures(self) -> tuple[str, ...]:
        """Those of the scenes, if it compares any: in their order."""
        return self.scene_roles if len(self.scene_roles) > 1 else ()

    @abstractmethod
    def compute(self, params: P, scenes: Sequence[Pixels]) -> PixelArray:
        """Values of one window, (rows, columns), from the pixels of each scene in the order of `scene_roles`.

        The tally counts these values; `encode` turns them into the file's.
        """

    @abstractmethod
    def encode(self, params: P, values: PixelArray) -> PixelArray:
        """The values of one window as DN of the pixel format."""

    @abstractmethod
    def tally(self, params: P) -> Tally:
        """A new tally that has counted nothing."""

    def result_fields(self, params: P) -> Mapping[str, Any]:
        """Fields of the result besides those that every result has."""
        return {}

    def file_statistics(self, params: P, statistics: Mapping[str, Any]) -> Mapping[str, float]:
        """The statistics that also hold for the DN in the file, except for rounding.

        By name: `minimum`, `maximum`, `mean`, `stddev`.
        """
        return {}

    def quality(self, params: P, scenes: Sequence[Pixels], near_mask: BoolArray | None) -> Mapping[str, Any]:
        """What valid pixels of the scenes, a sample in one row, say about how far a result can be trusted.

        `near_mask` says of each whether a mask hides ground nearby; None if no scene has a mask.
        """
        return {}

    def notes(self, params: P) -> tuple[str, ...]:
        """What no result with these params can show."""
        return ()
