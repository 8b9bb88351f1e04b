"""A grid of pixels in a zone of UTM, such as the items of nearly all scenes declare one."""

from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np

from .pixel_grid import Coordinates, Numbers, PixelGrid
from .utm import from_utm, to_utm


@dataclass(frozen=True, kw_only=True)
class UtmGrid(PixelGrid):
    """`epsg` is the code of its zone, for which `is_utm`."""

    epsg: int

    @property
    def proj_code(self) -> str:
        return f"EPSG:{self.epsg}"

    @property
    def gsd(self) -> float:
        return sqrt(abs(self.transform.determinant))

    @property
    def is_in_degrees(self) -> bool:
        return False

    def coordinates_of(self, other: Self, xs: Numbers, ys: Numbers) -> Coordinates:
        return (xs, ys) if other.epsg == self.epsg else self.from_degrees(*other.to_degrees(xs, ys))

    def to_degrees(self, xs: Numbers, ys: Numbers) -> Coordinates:
        return from_utm(self.epsg, np.asarray(xs), np.asarray(ys))

    def from_degrees(self, longitudes: Numbers, latitudes: Numbers) -> Coordinates:
        return to_utm(self.epsg, np.asarray(longitudes), np.asarray(latitudes))
