"""Normalized Difference Vegetation Index: (nir - red) / (nir + red).

Source: Rouse, Haas, Schell and Deering (1974), Monitoring vegetation systems in the Great Plains with ERTS.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from .. import colormaps
from ..params import InvalidParams, Params
from ..types import FULL_MANTISSA, Float32Array, Float64Array, PixelArray, PixelFormat, Pixels, SceneId
from . import Operation

# With a colormap NDVI -1..1 lies on the indices 1..255; index 0 is nodata.
_STEPS_PER_UNIT = 127
_NODATA_INDEX = 0
_BINS = 20
_COMPACT_MANTISSA = 12  # bits; what the predictor leaves of them takes half the bytes of all 23


class NdviParams(Params):
    colormap: Literal["rdylgn", "viridis", "greens"] | None = Field(
        default=None,
        description="Colormap of the result, always over -1..1. Left out: raw float values.",
    )
    precision: Literal["full", "compact"] = Field(
        default="full",
        description="Of raw values: float32 as computed, or rounded to 12 bits of mantissa in about half the bytes, "
        "which changes no value by more than 1/8192 of itself. The statistics are those of the values as computed.",
    )


class NdviTally:
    """Minimum, maximum, mean, population standard deviation and a histogram of all valid NDVI values."""

    def __init__(self) -> None:
        self.valid = 0
        self._minimum = np.inf
        self._maximum = -np.inf
        self._mean = 0.0
        self._squares = 0.0  # sum of squared distances from the mean
        self._histogram = np.zeros(_BINS, dtype=np.int64)

    def add(self, values: PixelArray, pixel_areas: Float64Array) -> None:
        """Sums are of float32, which numpy adds in pairs: over a strip as exact as the values themselves."""
        invalid = np.isnan(values)
        if invalid.any():
            values = values[~invalid]
        if values.size == 0:
            return
        minimum, maximum = values.min(), values.max()
        self._minimum, self._maximum = min(self._minimum, float(minimum)), max(self._maximum, float(maximum))
        mean = values.sum() / np.float32(values.size)
        distances = values - mean
        rest = float(distances.sum()) / values.size  # what float32 lost of the mean
        squares = float(np.square(distances, out=distances).sum()) - values.size * rest**2
        self._merge_moments(values.size, float(mean) + rest, squares)
        self._histogram += np.bincount(_bins(values, maximum).ravel(), minlength=_BINS)

    def merge(self, other: Self) -> None:
        if other.valid:
            self._minimum = min(self._minimum, other._minimum)
            self._maximum = max(self._maximum, other._maximum)
            self._histogram += other._histogram
            self._merge_moments(other.valid, other._mean, other._squares)

    def _merge_moments(self, count: int, mean: float, squares: float) -> None:
        """Chan, Golub and LeVeque (1979): moments of a union from those of its parts, without cancellation."""
        difference, union = mean - self._mean, self.valid + count
        self._squares += squares + difference**2 * self.valid * count / union
        self._mean += difference * count / union
        self.valid = union

    def statistics(self) -> dict[str, Any]:
        return {
            "minimum": self._minimum,
            "maximum": self._maximum,
            "mean": self._mean,
            "stddev": float(np.sqrt(self._squares / self.valid)),
            "histogram": {
                "count": _BINS,
                "min": -1.0,
                "max": 1.0,
                "buckets": [int(bucket) for bucket in self._histogram],
            },
        }


class Ndvi(Operation[NdviParams]):
    title = "Normalized Difference Vegetation Index"
    description = (
        "Computes NDVI from the red and near infrared bands of one scene. The result is a single-band COG "
        "with values from -1.0 to 1.0, or, with a colormap, the same range as 8 bit palette indices."
    )
    scene_roles = ("scene",)
    params_model = NdviParams

    @property
    def nothing(self) -> np.generic:
        return np.float32(np.nan)

    def normalise(self, params: NdviParams, scene_ids: Sequence[SceneId]) -> NdviParams:
        """Refuses a precision where it would have no effect."""
        if params.colormap is not None and params.precision == "compact":
            raise InvalidParams("precision", "A colormap has steps of its own: ask for compact without one")
        return params

    def file_statistics(self, params: NdviParams, statistics: Mapping[str, Any]) -> Mapping[str, float]:
        return {} if params.colormap else {name: statistics[name] for name in ("minimum", "maximum", "mean", "stddev")}

    def bands(self, params: NdviParams) -> tuple[str, ...]:
        return ("red", "nir")

    def pixel_format(self, params: NdviParams) -> PixelFormat:
        if params.colormap is None:
            return PixelFormat(
                dtype="float32",
                nodata=float("nan"),
                overview_resampling="average",
                mantissa_bits=FULL_MANTISSA if params.precision == "full" else _COMPACT_MANTISSA,
                description="NDVI",
            )
        return PixelFormat(
            dtype="uint8",
            nodata=_NODATA_INDEX,
            overview_resampling="average",
            scale=1 / _STEPS_PER_UNIT,
            offset=-1 - 1 / _STEPS_PER_UNIT,
            description="NDVI",
            palette=_palette(params.colormap),
        )

    def compute(self, params: NdviParams, scenes: Sequence[Pixels]) -> Float32Array:
        """NDVI as float32 in -1..1; NaN where a band is invalid or both reflectances are 0."""
        (scene,) = scenes
        red, nir = scene.reflectance["red"], scene.reflectance["nir"]
        total = nir + red
        ndvi = nir - red
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(ndvi, total, out=ndvi)
        np.copyto(ndvi, np.float32(np.nan), where=~(scene.valid & (total > 0)))
        return ndvi

    def encode(self, params: NdviParams, values: PixelArray) -> PixelArray:
        if params.colormap is None:
            return values
        index = np.rint((values + 1) * np.float32(_STEPS_PER_UNIT)) + 1
        pixels: PixelArray = np.nan_to_num(index, nan=_NODATA_INDEX).astype(np.uint8)
        return pixels

    def tally(self, params: NdviParams) -> NdviTally:
        return NdviTally()


def _bins(ndvi: Float32Array, maximum: np.float32) -> npt.NDArray[np.int32]:
    """The bin of the histogram for each NDVI; the last one holds 1 too."""
    bins = ndvi + np.float32(1)
    bins *= np.float32(_BINS / 2)
    whole: npt.NDArray[np.int32] = bins.astype(np.int32)
    return np.minimum(whole, _BINS - 1, out=whole) if maximum >= 1 else whole


def _palette(colormap: str) -> tuple[tuple[int, int, int, int], ...]:
    """256 RGBA colours: transparent at the nodata index, then the colormap from NDVI -1 to 1."""
    ramp = colormaps.colors(colormap, 2 * _STEPS_PER_UNIT + 1)
    return ((0, 0, 0, 0), *((int(red), int(green), int(blue), 255) for red, green, blue in ramp))


OPERATION = Ndvi()
