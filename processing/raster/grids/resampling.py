"""Resampling between grids of one CRS whose rows and columns run alike: exact, and the same for every window.

GDAL's warper serves all others. It approximates each read anew, and knows only one value that is not data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..types import BoolArray, Float32Array, PixelArray

Indices = npt.NDArray[np.intp]
_Combine = Callable[[Float32Array, "Axis", "Axis"], Float32Array]

# Least total weight of valid neighbours; anything above rounding error.
_LEAST_WEIGHT = 1e-5
_STRIP_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class Axis:
    """How the pixels along one side of a target lie on a source.

    `position` has their centres in source pixels, counted from the centre of the first one.
    """

    position: npt.NDArray[np.float64]
    step: float  # from one target pixel to the next, in source pixels
    size: int  # of the whole source along this side
    blends: bool  # whether pixels around a centre count, too

    @classmethod
    def between(cls, first: float, step: float, begin: int, end: int, size: int, *, blends: bool = True) -> "Axis":
        """The axis of target pixels `begin` to `end`; pixel 0 has its centre at `first`, pixel 1 at `first + step`."""
        position = first + step * np.arange(begin, end, dtype=np.float64)
        return cls(position=position, step=step, size=size, blends=blends)

    @cached_property
    def inside(self) -> BoolArray:
        """Which target pixels have their centre on the source."""
        return (self.position >= -0.5) & (self.position < self.size - 0.5)

    @cached_property
    def needed(self) -> slice:
        """The source pixels that any way of blending looks at. Empty if none lies under the target."""
        within = self.position[self.inside]
        if within.size == 0:
            return slice(0, 0)
        reach = max(1.0, abs(self.step) / 2 + 0.5) if self.blends else 0.5
        low, high = int(np.floor(within.min() - reach + 1)), int(np.floor(within.max() + reach))
        return slice(max(0, low), min(self.size, high + 1))

    def neighbours(self) -> tuple[Indices, Indices, Float32Array]:
        """Indices in `needed` of the source pixels before and after each centre, and the weight of the one after."""
        needed = self.needed
        below = np.floor(self.position)
        weight = (self.position - below).astype(np.float32)
        last = needed.stop - needed.start - 1
        before = np.clip(below.astype(np.intp) - needed.start, 0, last)
        after = np.clip(below.astype(np.intp) + 1 - needed.start, 0, last)
        return before, after, weight

    def edges(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The begin and end of each target pixel on `needed`, in source pixels from its first edge."""
        needed = self.needed
        middle, half = self.position + 0.5 - needed.start, abs(self.step) / 2
        return (middle - half).clip(0, needed.stop - needed.start), (middle + half).clip(0, needed.stop - needed.start)

    def nearest(self) -> Indices:
        """Index in `needed` of the source pixel in which each centre lies."""
        needed = self.needed
        last = needed.stop - needed.start - 1
        index: Indices = np.clip(np.floor(self.position + 0.5).astype(np.intp) - needed.start, 0, last)
        return index


def bilinear(dn: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float) -> Float32Array:
    """The source interpolated at the target's centres: (rows, columns) float32.

    `dn` and `valid` hold the part of the source that is `needed`. Invalid pixels have no weight, and a centre in an
    invalid pixel becomes `nodata`.
    """
    result = _weighted(dn, valid, rows, columns, nodata, _interpolate)
    if dn.size and not valid.all():
        np.copyto(result, np.float32(nodata), where=~nearest(valid, rows, columns, outside=False))
    return result


def average(dn: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float) -> Float32Array:
    """The mean of the valid source in each target pixel: (rows, columns) float32, `nodata` if there is none."""
    return _weighted(dn, valid, rows, columns, nodata, _integrate)


def _weighted(
    dn: PixelArray, valid: BoolArray, rows: Axis, columns: Axis, nodata: float, combine: _Combine
) -> Float32Array:
    shape = len(rows.position), len(columns.position)
    if dn.size == 0:
        return np.full(shape, nodata, dtype=np.float32)
    data = dn.astype(np.float32)
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


def nearest(dn: PixelArray, rows: Axis, columns: Axis, outside: float) -> PixelArray:
    """The source pixel in which each of the target's centres lies: (rows, columns), `outside` beyond the source."""
    shape = len(rows.position), len(columns.position)
    if dn.size == 0:
        return np.full(shape, outside, dtype=dn.dtype)
    # Columns first, while there are fewer rows: whole rows are copied faster.
    result: PixelArray = _columns(dn, columns.nearest())[rows.nearest()]
    result[~rows.inside] = outside
    result[:, ~columns.inside] = outside
    return result


def _columns(dn: PixelArray, picked: Indices) -> PixelArray:
    """These columns of an array. Each twice in turn, as for a mask of 20 m on a grid of 10 m, takes a fifth as long."""
    if dn.dtype == np.uint8 and np.array_equal(picked, np.arange(2 * dn.shape[1]) // 2):
        return (dn.astype(np.uint16) * np.uint16(0x0101)).view(np.uint8)
    return dn.take(picked, axis=1)


def _interpolate(data: Float32Array, rows: Axis, columns: Axis) -> Float32Array:
    """Columns first, while there are fewer rows."""
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
    """first + (second - first) * weight. Overwrites `second`."""
    second -= first
    second *= weight
    np.add(first, second, out=into)


def _strips(rows: int) -> Iterator[slice]:
    """Rows in strips that fit into the processor's cache."""
    for first in range(0, rows, _STRIP_ROWS):
        yield slice(first, first + _STRIP_ROWS)


def _integrate(data: Float32Array, rows: Axis, columns: Axis) -> Float32Array:
    """Mean over each target pixel: the difference of the integral at its edges, divided by its size."""
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
