"""Resampling between grids of one CRS whose rows and columns run alike: exact, and the same for every window.

GDAL's warper serves the rest. It approximates each read anew, and knows one number only that is no data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..types import BoolArray, Float32Array, PixelArray

Indices = npt.NDArray[np.intp]
_Combine = Callable[[Float32Array, "Axis", "Axis"], Float32Array]

# Of the weight of a pixel's neighbours, the least that must be valid; anything above nothing will do.
_LEAST_WEIGHT = 1e-5
_STRIP_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How the pixels along one side of a target lie on a source: `position` are their centres, in source pixels.

    The centre of the first source pixel is at 0.
    """

    position: npt.NDArray[np.float64]
    step: float  # from one target pixel to the next, in source pixels
    size: int  # of the whole source along this side
    blends: bool  # whether pixels around a centre count too

    @classmethod
    def between(cls, first: float, step: float, begin: int, end: int, size: int, *, blends: bool = True) -> "Axis":
        """For the target's pixels `begin` to `end`; its pixel 0 has its centre at `first`, the next one `step` on."""
        position = first + step * np.arange(begin, end, dtype=np.float64)
        return cls(position=position, step=step, size=size, blends=blends)

    @cached_property
    def inside(self) -> BoolArray:
        """Which target pixels have their centre on the source."""
        return (self.position >= -0.5) & (self.position < self.size - 0.5)

    @cached_property
    def needed(self) -> slice:
        """The source pixels that are looked at, whatever way they are blended; empty where the source is elsewhere."""
        within = self.position[self.inside]
        if within.size == 0:
            return slice(0, 0)
        reach = max(1.0, abs(self.step) / 2 + 0.5) if self.blends else 0.5
        low, high = int(np.floor(within.min() - reach + 1)), int(np.floor(within.max() + reach))
        return slice(max(0, low), min(self.size, high + 1))

    def neighbours(self) -> tuple[Indices, Indices, Float32Array]:
        """Index of the source pixel before and after each centre, within `needed`, and the weight of the one after."""
        needed = self.needed
        below = np.floor(self.position)
        weight = (self.position - below).astype(np.float32)
        last = needed.stop - needed.start - 1
        before = np.clip(below.astype(np.intp) - needed.start, 0, last)
        after = np.clip(below.astype(np.intp) + 1 - needed.start, 0, last)
        return before, after, weight

    def edges(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where each target pixel begins and ends on `needed`, in source pixels from its first edge."""
        needed = self.needed
        middle, half = self.position + 0.5 - needed.start, abs(self.step) / 2
        return (middle - half).clip(0, needed.stop - needed.start), (middle + half).clip(0, needed.stop - needed.start)

    def nearest(self) -> Indices:
        """Index of the source pixel in which each centre lies, within `needed`."""
        needed = self.needed
        last = needed.stop - needed.start - 1
        index: Indices = np.clip(np.floor(self.position + 0.5).astype(np.intp) - needed.start, 0, last)
        return index


def bilinear(numbers: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float) -> Float32Array:
    """The source's numbers at the target's centres: (rows, columns) float32.

    `numbers` and `valid` hold what is `needed` of the source. What is not valid has no weight, and a centre that lies
    in a pixel that is not valid gets `nodata`.
    """
    result = _weighted(numbers, valid, rows, columns, nodata, _interpolate)
    if numbers.size and not valid.all():
        np.copyto(result, np.float32(nodata), where=~nearest(valid, rows, columns, outside=False))
    return result


def average(numbers: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float) -> Float32Array:
    """The mean of the valid source over each target pixel: (rows, columns) float32, `nodata` where there is none."""
    return _weighted(numbers, valid, rows, columns, nodata, _integrate)


def _weighted(
    numbers: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float, combine: _Combine
) -> Float32Array:
    shape = len(rows.position), len(columns.position)
    if numbers.size == 0:
        return np.full(shape, nodata, dtype=np.float32)
    data = numbers.astype(np.float32)
    everywhere = bool(valid.all())
    if not everywhere:
        data[~valid] = 0
    result = combine(data, rows, columns)
    if not everywhere:
        weight = combine(valid.astype(np.float32), rows, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            result /= weight
        np.copyto(result, np.float32(nodata), where=weight <= _LEAST_WEIGHT)
    result[~rows.inside] = nodata
    result[:, ~columns.inside] = nodata
    return result


def nearest(numbers: PixelArray, rows: Axis, columns: Axis, outside: float) -> PixelArray:
    """The source's numbers in whose pixels the target's centres lie: (rows, columns), `outside` beyond the source."""
    shape = len(rows.position), len(columns.position)
    if numbers.size == 0:
        return np.full(shape, outside, dtype=numbers.dtype)
    # First along the columns, where there are fewer rows to do: whole rows are copied faster.
    result: PixelArray = numbers.take(columns.nearest(), axis=1)[rows.nearest()]
    result[~rows.inside] = outside
    result[:, ~columns.inside] = outside
    return result


def _interpolate(data: Float32Array, rows: Axis, columns: Axis) -> Float32Array:
    """First along the columns, where there are fewer rows to do."""
    before, after, weight = columns.neighbours()
    across = np.empty((len(data), len(before)), np.float32)
    for strip in _strips(len(data)):
        _blend(data[strip].take(before, axis=1), data[strip].take(after, axis=1), weight, across[strip])
    before, after, weight = rows.neighbours()
    result = np.empty((len(before), across.shape[1]), np.float32)
    for strip in _strips(len(before)):
        _blend(across[before[strip]], across[after[strip]], weight[strip, np.newaxis], result[strip])
    return result


def _blend(first: Float32Array, second: Float32Array, weight: Float32Array, into: Float32Array) -> None:
    """first + (second - first) * weight; `second` is used up."""
    second -= first
    second *= weight
    np.add(first, second, out=into)


def _strips(rows: int) -> Iterator[slice]:
    """As many rows at once as the processor's cache holds."""
    for first in range(0, rows, _STRIP_ROWS):
        yield slice(first, first + _STRIP_ROWS)


def _integrate(data: Float32Array, rows: Axis, columns: Axis) -> Float32Array:
    """Mean over each target pixel: the difference of the integral at its edges, over its size."""
    down = _integrate_rows(data.astype(np.float64), rows)
    return np.ascontiguousarray(_integrate_rows(down.T, columns).T, dtype=np.float32)


def _integrate_rows(data: npt.NDArray[np.float64], axis: Axis) -> npt.NDArray[np.float64]:
    integral = np.vstack([np.zeros((1, data.shape[1])), np.cumsum(data, axis=0)])
    begin, end = axis.edges()
    return (_at(integral, end) - _at(integral, begin)) / np.maximum(end - begin, 1e-9)[:, np.newaxis]


def _at(integral: npt.NDArray[np.float64], place: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    below = np.minimum(np.floor(place).astype(np.intp), len(integral) - 2)
    share = (place - below)[:, np.newaxis]
    values: npt.NDArray[np.float64] = integral[below] * (1 - share) + integral[below + 1] * share
    return values
