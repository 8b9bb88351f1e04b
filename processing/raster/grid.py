"""A grid: the pixels of a raster laid over the ground, and the windows in which it is worked through."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, hypot
from typing import Self

from affine import Affine
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.windows import Window

# Metres per degree of latitude, for the pixel size of a grid in degrees (WGS 84 mean).
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """`height` rows and `width` columns of pixels in `crs`; `transform` maps (column, row) corners to coordinates."""

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> Self:
        return cls(crs=dataset.crs, transform=dataset.transform, width=dataset.width, height=dataset.height)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def proj_code(self) -> str | None:
        """Such as EPSG:32610; None where the CRS has no code of an authority."""
        authority = self.crs.to_authority() if self.crs else None
        return ":".join(authority) if authority else None

    @property
    def gsd(self) -> float:
        """Size of a pixel on the ground in metres, along its columns."""
        size = hypot(self.transform.a, self.transform.d)
        if self.crs is not None and self.crs.is_geographic:
            return size * _METRES_PER_DEGREE
        return size * (self.crs.linear_units_factor[1] if self.crs is not None else 1.0)

    def windows(self, block: int) -> Iterator[Window]:
        """Square windows of `block` pixels, row by row; those at the right and lower edge are cut to the grid."""
        for row in range(0, self.height, block):
            for column in range(0, self.width, block):
                yield Window(column, row, min(block, self.width - column), min(block, self.height - row))

    def window_count(self, block: int) -> int:
        return ceil(self.width / block) * ceil(self.height / block)

    def matches(self, other: "Grid") -> bool:
        """Whether both have the very same pixels, so that neither has to be resampled."""
        return (
            self.shape == other.shape
            and self.crs == other.crs
            and self.transform.almost_equals(other.transform, precision=1e-6)
        )
