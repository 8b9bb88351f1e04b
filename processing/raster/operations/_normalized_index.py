"""What all normalised difference indices share: the formula, the params, the statistics and the encoding."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..colormaps import Colormap, colors
from ..params import InvalidParams, Params
from ..types import FULL_MANTISSA, Float32Array, Float64Array, PixelArray, PixelFormat, Pixels, SceneId
from ._operation import Operation

# With a colormap the values -1..1 are the DN 1..255; DN 0 is nodata.
_STEPS_PER_UNIT = 127
_NODATA_DN = 0
_BINS = 20
_SHOWN_AS: Colormap = "rdylgn"  # raw values in a picture
_COMPACT_MANTISSA = 12  # bits; compressed with the predictor they take half the bytes of all 23


def normalized_difference(a: Float32Array, b: Float32Array) -> tuple[Float32Array, Float32Array]:
    """(a - b) / (a + b), and a + b. The quotient is NaN if a and b are both 0. Neither may be below 0."""
    total: Float32Array = a + b
    quotient: Float32Array = a - b
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(quotient, total, out=quotient)
    return quotient, total


class IndexParams(Params):
    colormap: Colormap | None = Field(
        default=None,
        description="Colormap of the result, always over -1..1. Left out: raw float values.",
    )
    precision: Literal["full", "compact"] = Field(
        default="full",
        description="Of raw values: float32 as computed, or rounded to 12 bits of mantissa in about half the bytes, "
        "which changes no value by more than 1/8192 of itself. The statistics are those of the values as computed.",
    )


class NormalizedIndex(Operation[IndexParams]):
    """(a - b) / (a + b) of two bands of one scene, in -1..1. A pixel whose a and b are both 0 is not valid."""

    index: ClassVar[str]  # the short name, which describes the band in the file
    pair: ClassVar[tuple[str, str]]  # common names of a and b
    scene_roles = ("scene",)
    params_model = IndexParams

    def normalise(self, params: IndexParams, scene_ids: Sequence[SceneId]) -> IndexParams:
        """Raises InvalidParams for a precision that has no effect."""
        if params.colormap is not None and params.precision == "compact":
            raise InvalidParams("precision", "A colormap has steps of its own: ask for compact without one")
        return params

    def bands(self, params: IndexParams) -> tuple[str, ...]:
        a, b = self.pair
        return (b, a)

    @property
    def nothing(self) -> np.generic:
        return np.float32(np.nan)

    def pixel_format(self, params: IndexParams) -> PixelFormat:
        if params.colormap is None:
            return PixelFormat(
                dtype="float32",
                nodata=float("nan"),
                overview_resampling="average",
                mantissa_bits=FULL_MANTISSA if params.precision == "full" else _COMPACT_MANTISSA,
                description=self.index,
            )
        return PixelFormat(
            dtype="uint8",
            nodata=_NODATA_DN,
            overview_resampling="average",
            scale=1 / _STEPS_PER_UNIT,
            offset=-1 - 1 / _STEPS_PER_UNIT,
            description=self.index,
            palette=_palette(params.colormap),
        )

    def shown_as(self, params: IndexParams) -> IndexParams:
        return params.model_copy(update={"colormap": params.colormap or _SHOWN_AS, "precision": "full"})

    def compute(self, params: IndexParams, scenes: Sequence[Pixels]) -> Float32Array:
        """The index as float32 in -1..1; NaN if a band is not valid or both reflectances are 0."""
        (scene,) = scenes
        a, b = (scene.reflectance[name] for name in self.pair)
        values, total = normalized_difference(a, b)
        np.copyto(values, np.float32(np.nan), where=~(scene.valid & (total > 0)))
        return values

    def encode(self, params: IndexParams, values: PixelArray) -> PixelArray:
        if params.colormap is None:
            return values
        dn = values + np.float32(1)
        dn *= np.float32(_STEPS_PER_UNIT)
        np.rint(dn, out=dn)
        dn += 1
        pixels: PixelArray = np.fmax(dn, np.float32(_NODATA_DN), out=dn).astype(np.uint8)  # of NaN and a number, that
        return pixels

    def tally(self, params: IndexParams) -> "IndexTally":
        return IndexTally()

    def file_statistics(self, params: IndexParams, statistics: Mapping[str, Any]) -> Mapping[str, float]:
        return {} if params.colormap else {name: statistics[name] for name in ("minimum", "maximum", "mean", "stddev")}


class IndexTally:
    """Minimum, maximum, mean, population standard deviation and a histogram of all valid values."""

    def __init__(self) -> None:
        self.valid = 0
        self._minimum = np.inf
        self._maximum = -np.inf
        self._mean = 0.0
        self._squares = 0.0  # sum of squared distances from the mean
        self._histogram = np.zeros(_BINS, dtype=np.int64)

    def add(self, values: PixelArray, pixel_areas: Float64Array) -> None:
        """Sums are of float32. numpy adds them in pairs, so that the sum of a strip is as exact as its values."""
        minimum = values.min(initial=np.inf)  # NaN if there is any
        if np.isnan(minimum):
            values = values[~np.isnan(values)]
            minimum = values.min(initial=np.inf)
        if values.size == 0:
            return
        maximum = values.max()
        self._minimum, self._maximum = min(self._minimum, float(minimum)), max(self._maximum, float(maximum))
        mean = values.sum() / np.float32(values.size)
        distances = values - mean
        rest = float(distances.sum()) / values.size  # what float32 lost of the mean
        squares = float(np.square(distances, out=distances).sum()) - values.size * rest**2
        self._merge_moments(values.size, float(mean) + rest, squares)
        self._histogram += _histogram(values, scratch=distances)

    def merge(self, other: Self) -> None:
        if other.valid:
            self._minimum = min(self._minimum, other._minimum)
            self._maximum = max(self._maximum, other._maximum)
            self._histogram += other._histogram
            self._merge_moments(other.valid, other._mean, other._squares)

    def _merge_moments(self, count: int, mean: float, squares: float) -> None:
        """Moments of a union from those of its parts, without cancellation.

        Source: Chan, Golub and LeVeque (1979), Updating formulae and a pairwise algorithm for computing variances.
        """
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

    def quality(self) -> Mapping[str, float | None]:
        return {}


def _histogram(values: Float32Array, scratch: Float32Array) -> npt.NDArray[np.int64]:
    """How many values are in each bin of -1..1. The last bin includes 1. Overwrites `scratch`, of the same shape."""
    np.add(values, np.float32(1), out=scratch)
    scratch *= np.float32(_BINS / 2)
    bins = scratch.astype(np.uint8).ravel()
    # Two neighbours are counted as one number of 16 bits, which halves the look-ups.
    paired = bins[: bins.size // 2 * 2].view(np.uint16)
    of_pairs: npt.NDArray[np.int64] = np.bincount(paired, minlength=256 * (_BINS + 1)).reshape(_BINS + 1, 256)
    counts: npt.NDArray[np.int64] = of_pairs.sum(axis=1) + of_pairs.sum(axis=0)[: _BINS + 1]
    if bins.size % 2:
        counts[bins[-1]] += 1
    counts[_BINS - 1] += counts[_BINS]
    return counts[:_BINS]


@cache
def _palette(colormap: Colormap) -> tuple[tuple[int, int, int, int], ...]:
    """256 RGBA colours: transparent at the nodata DN, then the colormap from -1 to 1."""
    ramp = colors(colormap, 2 * _STEPS_PER_UNIT + 1)
    return ((0, 0, 0, 0), *((int(red), int(green), int(blue), 255) for red, green, blue in ramp))
