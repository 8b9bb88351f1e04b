"""Resampling as a plain loop over pixels: what the fast one must agree with."""

from collections.abc import Callable
from math import floor
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.raster.grids.resampling import Axis, average, bilinear
from processing.raster.types import BoolArray

NODATA, SATURATED = 0, 65535
# Ratios of catalogues' pixels (10, 15, 20, 30, 60 m) and one of no such kind.
STEPS = [1.0, 0.5, 2.0, 1 / 3, 1.5, 2 / 3, 3.0, 6.0, 0.73]
FIRSTS = [-3.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.25, 2.0, 7.75]

Dn = npt.NDArray[np.uint16]
Result = npt.NDArray[Any]
Weights = Callable[[float, float, int], dict[int, float]]
Combine = Callable[[npt.NDArray[Any], BoolArray, Axis, Axis, float], Result]


def random_dn(rows: int, columns: int, seed: int = 1, holes: float = 0.0) -> Dn:
    """DN at random. Of the share `holes`, half are nodata and half saturated."""
    random = np.random.default_rng(seed)
    dn = random.integers(1000, 3000, (rows, columns)).astype(np.uint16)
    chance = random.random(dn.shape)
    dn[chance < holes] = NODATA
    dn[chance < holes / 2] = SATURATED
    return dn


def valid_in(dn: Dn) -> BoolArray:
    valid: BoolArray = (dn != NODATA) & (dn != SATURATED)
    return valid


def axis_over(first: float, step: float, size: int, count: int, *, blends: bool = True) -> Axis:
    return Axis.between(first, step, 0, count, size, blends=blends)


def resampled(combine: Combine, dn: Dn, rows: Axis, columns: Axis) -> Result:
    """Made of the needed part of the source alone."""
    part = dn[rows.needed, columns.needed]
    return combine(part, valid_in(part), rows, columns, NODATA)


def between_centres(position: float, step: float, size: int) -> dict[int, float]:
    """Weight of each source pixel by bilinear interpolation; beyond the outermost centres the edge goes on."""
    below, share = floor(position), position - floor(position)
    weights: dict[int, float] = {}
    for index, weight in ((below, 1 - share), (below + 1, share)):
        kept = min(max(index, 0), size - 1)
        weights[kept] = weights.get(kept, 0) + weight
    return weights


def under_the_pixel(position: float, step: float, size: int) -> dict[int, float]:
    """How much of each source pixel lies under the target's."""
    begin, end = position - abs(step) / 2, position + abs(step) / 2
    overlaps = {index: min(end, index + 0.5) - max(begin, index - 0.5) for index in range(size)}
    return {index: overlap for index, overlap in overlaps.items() if overlap > 0}


METHODS: dict[str, tuple[Combine, Weights]] = {
    "bilinear": (bilinear, between_centres),
    "average": (average, under_the_pixel),
}


def pixel_by_pixel(dn: Dn, rows: Axis, columns: Axis, method: str) -> Result:
    weights = METHODS[method][1]
    result = np.full((len(rows.position), len(columns.position)), NODATA, np.float64)
    valid = valid_in(dn)
    for row, column in np.ndindex(result.shape):
        at = float(rows.position[row]), float(columns.position[column])
        if not all(-0.5 <= place < size - 0.5 for place, size in zip(at, dn.shape, strict=True)):
            continue
        if method == "bilinear" and not valid[floor(at[0] + 0.5), floor(at[1] + 0.5)]:
            continue
        down, across = (weights(place, axis.step, axis.size) for place, axis in zip(at, (rows, columns), strict=True))
        shares = {(i, j): down[i] * across[j] for i in down for j in across if valid[i, j]}
        if sum(shares.values()) > 1e-3 * sum(down.values()) * sum(across.values()):
            result[row, column] = sum(share * float(dn[place]) for place, share in shares.items()) / sum(
                shares.values()
            )
    return result
