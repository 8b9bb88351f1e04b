"""Seeded noise, shapes and small image helpers from which the sandbox landscape is drawn.

Arrays are square and row-major; coordinates are shares of the scene's side, 0 at the top-left corner.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)
Keys = npt.NDArray[np.uint32]
Point = tuple[float, float]
Block = tuple[float, float, float, float]

# Root mean square of two-dimensional cubic B-spline weights: dividing by it gives the noise unit variance.
_SPLINE_SPREAD = 151 / 315


def generator(seed: int, layer: int) -> np.random.Generator:
    """The random stream of one layer, independent of the order in which layers are drawn."""
    return np.random.Generator(np.random.PCG64([seed, layer]))


def scatter(*keys: npt.NDArray[np.integer] | int) -> Floats:
    """A fixed pseudo-random number in [0, 1) for each tuple of integers, of the keys' common shape."""
    mixed: Keys = np.zeros(1, np.uint32)
    for key in keys:
        mixed = (mixed + np.asarray(key).astype(np.uint32)) * np.uint32(0x9E3779B1)
        mixed ^= mixed >> np.uint32(15)
        mixed *= np.uint32(0x85EBCA77)
        mixed ^= mixed >> np.uint32(13)
    return (mixed >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def coordinates(size: int) -> tuple[Floats, Floats]:
    """Pixel centres as (across, down), of shapes (1, size) and (size, 1)."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[None, :], centres[:, None]


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """0 up to low, 1 from high on, and a smooth rise between them."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _spline_along_rows(lattice: Floats, size: int) -> Floats:
    cells = lattice.shape[0] - 3
    position = (np.arange(size) + 0.5) * cells / size
    first = position.astype(np.intp)
    t = (position - first).astype(np.float32)[:, None]
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    return np.asarray(sum(lattice[first + tap] * (weight / 6) for tap, weight in enumerate(weights)), np.float32)


def spline_noise(size: int, cells: int, random: np.random.Generator) -> Floats:
    """Smooth noise of shape (size, size), zero mean and unit variance, with `cells` bumps a side."""
    lattice = random.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    tall = _spline_along_rows(lattice, size)
    return np.ascontiguousarray(_spline_along_rows(np.ascontiguousarray(tall.T), size).T) / np.float32(_SPLINE_SPREAD)


def fractal(size: int, cells: int, octaves: int, random: np.random.Generator, gain: float = 0.5) -> Floats:
    """Noise of shape (size, size) and unit variance: each octave twice as fine and `gain` times as strong."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        total += spline_noise(size, cells * 2**octave, random) * np.float32(gain**octave)
    total /= np.float32(sum(gain ** (2 * octave) for octave in range(octaves)) ** 0.5)
    return total


def repeat(field: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Each pixel as 2 x 2 equal ones."""
    return field.repeat(2, axis=0).repeat(2, axis=1)


def _enlarge_rows(field: Floats) -> Floats:
    padded = np.pad(field, ((1, 1), (0, 0)), mode="edge")
    result = np.empty((2 * field.shape[0], field.shape[1]), np.float32)
    result[0::2] = 0.75 * field + 0.25 * padded[:-2]
    result[1::2] = 0.75 * field + 0.25 * padded[2:]
    return result


def enlarge(field: Floats) -> Floats:
    """Twice as many pixels a side, interpolated linearly between the centres."""
    return _enlarge_rows(_enlarge_rows(field).T).T


def block_mean(field: Floats) -> Floats:
    """The mean of each 2 x 2 block; NaN where any of the four is."""
    total = field[0::2, 0::2] + field[0::2, 1::2] + field[1::2, 0::2] + field[1::2, 1::2]
    return np.asarray(total / 4, np.float32)


def soften(field: Floats, leak: float) -> Floats:
    """The field as a sensor smears it: each pixel takes the share `leak` from each of its neighbours."""
    for axis in (0, 1):
        padded = np.pad(field, [(1, 1) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        ahead, behind = (padded[2:], padded[:-2]) if axis == 0 else (padded[:, 2:], padded[:, :-2])
        field = field * np.float32(1 - 2 * leak) + (ahead + behind) * np.float32(leak)
    return field


def distance_to_line(field: Floats) -> Floats:
    """About how many pixels each pixel lies from the field's zero line."""
    down, across = np.gradient(field)
    return np.asarray(np.abs(field) / np.maximum(np.hypot(down, across), 1e-6), np.float32)


def turned(across: Floats, down: Floats, angle: Floats | float) -> tuple[Floats, Floats]:
    """Coordinates along and beside a direction `angle` radians clockwise from the rows."""
    cosine, sine = np.cos(np.float32(angle)), np.sin(np.float32(angle))
    return across * cosine + down * sine, down * cosine - across * sine


def stroke(across: Floats, down: Floats, start: Point, end: Point, widths: Point) -> Floats:
    """How deep each pixel lies inside a tapering stroke between two points; negative outside."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    along = np.clip(((across - x) * dx + (down - y) * dy) / (dx * dx + dy * dy), 0, 1)
    gap = np.hypot(across - x - along * dx, down - y - along * dy)
    return np.asarray(widths[0] + along * (widths[1] - widths[0]) - gap, np.float32)


class Parcels(NamedTuple):
    """A mosaic of fields: each pixel's parcel number, and its distance in pixels from the parcel's edge."""

    number: Keys
    edge: Floats


def _nearest_district(across: Floats, down: Floats, per_side: int, seed: int) -> npt.NDArray[np.intp]:
    nearest = np.zeros(across.shape, np.intp)
    best = np.full(across.shape, np.inf, np.float32)
    for district in range(per_side**2):
        row, column = divmod(district, per_side)
        x = (column + float(scatter(seed, district, 1)[0])) / per_side
        y = (row + float(scatter(seed, district, 2)[0])) / per_side
        gap = (across - np.float32(x)) ** 2 + (down - np.float32(y)) ** 2
        closer = gap < best
        nearest[closer], best[closer] = district, gap[closer]
    return nearest


def parcels(across: Floats, down: Floats, per_side: int, seed: int) -> Parcels:
    """Fields in rows whose direction and spacing differ between the districts of the plain."""
    districts = 6
    district = _nearest_district(across, down, districts, seed)
    table = np.arange(districts**2)
    angle = 0.5 * np.pi * (scatter(seed, table, 3) - 0.5) * (scatter(seed, table, 4) < 0.7) + 0.16
    spacing = (0.75 + 0.6 * scatter(seed, table, 5)) / per_side
    along, beside = turned(across, down, angle.astype(np.float32)[district])
    height = spacing.astype(np.float32)[district]
    row = np.floor(beside / height)
    width = height * (0.7 + 1.5 * scatter(seed, district, row.astype(np.int32), 6))
    start = along / width + 8 * scatter(seed, district, row.astype(np.int32), 7)
    column = np.floor(start)
    number = (scatter(seed, district, row.astype(np.int32), column.astype(np.int32)) * 2**24).astype(np.uint32)
    strips = 1 + (scatter(number, 8) < 0.35) + (scatter(number, 9) < 0.12)
    inside = (start - column) * strips
    strip = np.floor(inside)
    depth = np.minimum(_to_edge(beside / height - row) * height, _to_edge(inside - strip) * width / strips)
    return Parcels(number * np.uint32(4) + strip.astype(np.uint32), (depth * across.shape[0]).astype(np.float32))


def _to_edge(share: Floats) -> Floats:
    return np.minimum(share, 1 - share)


def inside_blocks(across: Floats, down: Floats, blocks: tuple[Block, ...], angle: float) -> Mask:
    """Where any of the turned rectangles (centre across, centre down, half width, half height) lies."""
    inside = np.zeros(across.shape, np.bool_)
    for x, y, half_width, half_height in blocks:
        along, beside = turned(across - np.float32(x), down - np.float32(y), angle)
        inside |= (np.abs(along) < half_width) & (np.abs(beside) < half_height)
    return inside


class Blocks(NamedTuple):
    """Town pixels: street or not, how green the block is, and a number in [0, 1) for quarter and pixel."""

    street: Mask
    green: Floats
    quarter: Floats
    chance: Floats


def town_blocks(built_up: Mask, seed: int) -> Blocks:
    """A bent street grid over the True pixels of a mask, in their row-major order."""
    size = built_up.shape[0]
    down, across = (index.astype(np.float32) for index in np.nonzero(built_up))
    block = np.float32(max(size / 170, 5))
    bend = 1.1 * np.sin(across / (0.05 * size)) - 0.9 * np.sin(down / (0.04 * size))
    along, beside = turned(across / block + bend, 1.3 * down / block - bend, 0.42)
    column, row = np.floor(along).astype(np.int32), np.floor(beside).astype(np.int32)
    street = (along - column < 1.2 / block) | (beside - row < 1.5 / block)
    chance = scatter(seed, across.astype(np.int32), down.astype(np.int32))
    return Blocks(street, scatter(seed, column, row), scatter(seed, column // 3, row // 3, 1), chance)


def shading(elevation: Floats, towards_east: float, towards_south: float) -> Floats:
    """How brightly each slope is lit, around 1, by a sun whose direction has the two given strengths."""
    south, east = np.gradient(elevation * elevation.shape[0])
    lit: Floats = np.clip(1 + east * towards_east + south * towards_south, 0.62, 1.3)
    return lit


def moved(field: Floats, up: int, left: int) -> Floats:
    """The field shifted up and left by whole pixels, 0 where nothing moves in."""
    result = np.zeros_like(field)
    result[: field.shape[0] - up, : field.shape[1] - left] = field[up:, left:]
    return result


class Sky(NamedTuple):
    """Opacity of heaped clouds, of a thin veil and of the heaps' shadows, each exactly 0 in the clear."""

    cloud: Floats
    cirrus: Floats
    shadow: Floats

    def over(self, ground: Floats, brightness: float) -> Floats:
        """The reflectance of ground of twice as many pixels a side, under clouds of this brightness."""
        opacity = repeat(np.maximum(self.cloud, self.cirrus))
        shaded = ground * (1 - repeat(0.6 * self.shadow))
        return np.asarray(shaded + opacity * (brightness * (0.8 + 0.3 * opacity) - shaded), np.float32)


def sky(size: int, random: np.random.Generator, fall: Point) -> Sky:
    """Clouds over some 2.5 % of the scene, their shadows `fall` (up, left) shares of the side away."""
    heaps = fractal(size, 4, 2, random) + 0.8 * fractal(size, 22, 6, random, 0.6)
    veil = fractal(size, 4, 6, random, 0.65)
    base, thick = np.quantile(heaps, (0.979, 0.995))
    cloud = np.float32(0.95) * smoothstep(float(base), float(thick), heaps)
    cirrus = np.clip((veil - np.quantile(veil, 0.996)) * 0.5, 0, 0.2).astype(np.float32)
    return Sky(cloud, cirrus, moved(cloud, int(fall[0] * size), int(fall[1] * size)))


def river_depth(across: Floats, down: Floats) -> Floats:
    """How deep each pixel lies inside a meandering river that widens downwards, in shares of the side."""
    swing = 0.034 * np.sin(2 * np.pi * (2.2 * down + 0.1))
    swing += 0.016 * np.sin(2 * np.pi * (6.3 * down + 0.4 + 1.5 * across)) - 0.008 * np.sin(2 * np.pi * 11 * down)
    gap = distance_to_line(across - 0.41 - 0.24 * down - swing) / across.shape[0]
    return np.asarray(0.0026 + 0.0022 * down - gap, np.float32)


def winding_roads(across: Floats, down: Floats, roads: tuple[tuple[float, float, float], ...]) -> Floats:
    """Share of each pixel under roads that wind through a point (across, down) in a direction in radians."""
    cover = np.zeros(across.shape, np.float32)
    for x, y, angle in roads:
        along, beside = turned(across - np.float32(x), down - np.float32(y), angle)
        gap = distance_to_line(np.asarray(beside + 0.012 * np.sin(9 * along), np.float32))
        cover = np.maximum(cover, np.clip(1.1 - gap, 0, 0.7))
    return cover


def ragged_discs(across: Floats, down: Floats, discs: tuple[tuple[float, float, float], ...], ragged: Floats) -> Mask:
    """Where a disc (centre across, centre down, radius) lies, its rim pushed out by `ragged` radii."""
    nearness = [1 - np.hypot(across - x, down - y) / radius for x, y, radius in discs]
    return np.asarray(np.maximum.reduce(nearness) + ragged > 0)
