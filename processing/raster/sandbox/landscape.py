"""One synthetic Sentinel-2-like landscape at two dates, with the changes between them known.

The scene is drawn from a seed alone. Its geography (terrain, shores, parcels, towns) is laid out on the 20 m
grid, so that a parcel's edge never divides a 20 m pixel: a field cut in two by the coarser bands would look
built-up along its rim. Only shorelines, streets, texture and noise are drawn at 10 m.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from processing.raster.sandbox import noise
from processing.raster.sandbox.noise import Codes, Floats, Mask

DATES = ("before", "after")
BANDS = ("blue", "green", "red", "nir", "nir08", "swir16", "swir22")
COARSE_BANDS = frozenset({"nir08", "swir16", "swir22"})

GAIN, LOSS, BUILT, WATER, NODATA = 1, 2, 3, 4, 255

(FOREST, GRASS, CROP, PALE_CROP, PASTURE, ORCHARD, SOIL, DARK_SOIL, STUBBLE, DAMP_SOIL, GRADED, SLASH, SHORE,
 ROOF, PALE_ROOF, STREET, SUBURB, GARDEN) = range(18)  # fmt: skip
# Blue, green, red, nir, swir16, swir22; the strength of the texture; the scene class (vegetation 4, bare 5).
_MATERIALS = np.array([
    (0.020, 0.040, 0.025, 0.32, 0.14, 0.06, 0.130, 4),
    (0.052, 0.080, 0.092, 0.25, 0.25, 0.15, 0.060, 4),
    (0.030, 0.070, 0.040, 0.42, 0.19, 0.09, 0.025, 4),
    (0.042, 0.082, 0.065, 0.36, 0.22, 0.11, 0.025, 4),
    (0.036, 0.068, 0.052, 0.33, 0.21, 0.11, 0.035, 4),
    (0.036, 0.056, 0.048, 0.29, 0.19, 0.11, 0.070, 4),
    (0.090, 0.130, 0.180, 0.26, 0.34, 0.29, 0.025, 5),
    (0.062, 0.086, 0.115, 0.18, 0.26, 0.22, 0.025, 5),
    (0.080, 0.118, 0.150, 0.27, 0.35, 0.26, 0.030, 5),
    (0.066, 0.098, 0.135, 0.20, 0.33, 0.26, 0.025, 5),
    (0.110, 0.160, 0.215, 0.31, 0.44, 0.36, 0.020, 5),
    (0.056, 0.082, 0.098, 0.20, 0.27, 0.18, 0.080, 5),
    (0.090, 0.122, 0.150, 0.22, 0.30, 0.24, 0.030, 5),
    (0.110, 0.130, 0.160, 0.22, 0.23, 0.21, 0.060, 5),
    (0.165, 0.185, 0.205, 0.27, 0.27, 0.25, 0.060, 5),
    (0.090, 0.102, 0.120, 0.17, 0.18, 0.17, 0.030, 5),
    (0.078, 0.098, 0.108, 0.25, 0.20, 0.16, 0.060, 5),
    (0.042, 0.068, 0.058, 0.27, 0.17, 0.10, 0.080, 4),
], np.float32)  # fmt: skip
_CLEAR_WATER = (0.040, 0.035, 0.020, 0.010, 0.005, 0.003)
_TURBID_WATER = (0.070, 0.100, 0.090, 0.040, 0.010, 0.007)
_CLOUD = (0.60, 0.59, 0.60, 0.63, 0.46, 0.36)
_WINTER_GAIN = (1.0, 1.01, 0.99, 1.015, 1.01, 0.99)
# How strongly slopes to the east and to the south catch the sun, which stands more southerly in winter.
_SUN = {"before": (0.0125, 0.0100), "after": (0.0105, 0.0125)}
_SPECTRUM_COLUMN = {"blue": 0, "green": 1, "red": 2, "nir": 3, "nir08": 3, "swir16": 4, "swir22": 5}
_NIR08_OVER_NIR = 1.02

# What grows on a parcel before, as upper ends of the shares of parcels; the last two are those that change.
_PARCEL_SHARES = np.array([0.18, 0.33, 0.46, 0.57, 0.65, 0.77, 0.87, 0.94])
_PARCEL_KINDS = np.array([CROP, PALE_CROP, PASTURE, ORCHARD, SOIL, DARK_SOIL, STUBBLE, SOIL, CROP], np.uint8)
_PARCEL_CHANGES = np.array([0, 0, 0, 0, 0, 0, 0, GAIN, LOSS], np.uint8)

_FIELDS_PER_SIDE = 44
_TOWNS = ((0.635, 0.545, 0.105), (0.43, 0.87, 0.034), (0.83, 0.74, 0.030), (0.60, 0.09, 0.026))
_ROADS = ((0.635, 0.545, 0.42), (0.635, 0.545, 1.75), (0.43, 0.87, -0.75), (0.83, 0.74, -0.16))
_RESERVOIR = (
    ((0.265, 0.480), (0.215, 0.510), (0.022, 0.019)), ((0.215, 0.510), (0.160, 0.490), (0.019, 0.013)),
    ((0.160, 0.490), (0.100, 0.515), (0.013, 0.002)), ((0.165, 0.490), (0.140, 0.425), (0.011, 0.001)),
    ((0.220, 0.510), (0.205, 0.600), (0.015, 0.001)), ((0.240, 0.490), (0.225, 0.435), (0.011, 0.001)),
)  # fmt: skip
_CLEAR_CUTS = ((0.115, 0.150, 0.050, 0.026), (0.185, 0.235, 0.026, 0.036), (0.085, 0.255, 0.030, 0.022))
_NEW_QUARTER = ((0.765, 0.585, 0.050, 0.036), (0.735, 0.640, 0.034, 0.028))


class _Terrain(NamedTuple):
    """The lie of the land on the 20 m grid; depths are positive inside the water, in shares of the side."""

    across: Floats
    down: Floats
    hills: Floats
    elevation: Floats
    river: Floats
    lake: Floats
    reservoir: Floats


class _Plan(NamedTuple):
    """What is where: up to turbidity at 20 m, then at 10 m; all but the first are shares."""

    elevation: Floats
    tone: Floats
    vigour: Floats
    turbidity: Floats
    material: Codes
    change: Codes
    water: Floats
    margin: Floats
    road: Floats


class _View(NamedTuple):
    """What one date shows of the plan: ground at 10 m, sky and swath at 20 m."""

    material: Codes
    brightness: Floats
    water: Floats
    sky: noise.Sky
    nodata: Mask


def _terrain(size: int, seed: int) -> _Terrain:
    across, down = noise.coordinates(size)
    bend = [noise.fractal(size, 6, 4, noise.generator(seed, layer)) * 0.011 for layer in (1, 2)]
    x, y = across + bend[0], down + bend[1]
    rise = 0.34 - x + 0.16 * (y - 0.4) + 0.055 * noise.fractal(size, 4, 8, noise.generator(seed, 3), 0.6)
    hills = noise.smoothstep(-0.04, 0.12, rise)
    inlets = noise.fractal(size, 24, 5, noise.generator(seed, 10), 0.55)
    reservoir = np.maximum.reduce([noise.stroke(x, y, *stroke) for stroke in _RESERVOIR]) + 0.0055 * inlets
    ridges = 1 - np.abs(noise.fractal(size, 7, 6, noise.generator(seed, 4), 0.48))
    valley = noise.smoothstep(-0.045, 0.01, reservoir)
    swells = noise.fractal(size, 5, 2, noise.generator(seed, 5))
    elevation = hills * (0.9 * ridges - 1.1 * valley) + 0.05 * swells
    lake = 0.043 - np.hypot((x - 0.80) * 0.75 + 0.3 * (y - 0.22), y - 0.22) + 0.007 * inlets
    return _Terrain(x, y, hills, elevation, noise.river_depth(x, y), lake, reservoir)


def _forest(terrain: _Terrain, seed: int) -> Mask:
    size = terrain.hills.shape[0]
    clumps = noise.fractal(size, 12, 6, noise.generator(seed, 6), 0.6)
    northward = np.gradient(terrain.elevation, axis=0) * size
    massif = 2.6 * noise.smoothstep(0.24, 0.10, np.hypot(terrain.across - 0.13, terrain.down - 0.21))
    on_hills = clumps + np.clip(0.09 * northward, -1.2, 1.2) + massif > 0.25
    woods = clumps > 2.0
    banks = terrain.river > -0.002 - 0.006 * clumps
    return np.asarray(np.where(terrain.hills > 0.45, on_hills, woods | banks))


def _build(blocks: noise.Blocks) -> Codes:
    """Materials of a grown town's pixels: denser or greener by block, with quarters of large pale roofs."""
    houses = np.where(blocks.chance < 0.45 - 0.3 * blocks.green, ROOF, SUBURB)
    built = np.where(blocks.quarter > 0.88, PALE_ROOF, houses)
    garden = (blocks.chance > 1.05 - 0.35 * blocks.green) | (blocks.green > 0.95)
    return np.where(blocks.street, STREET, np.where(garden, GARDEN, built)).astype(np.uint8)


def _lay_out(terrain: _Terrain, seed: int) -> tuple[Codes, Codes, Floats, Floats]:
    """Material before, change, tone and depth into the parcel, all on the 20 m grid."""
    parcels = noise.parcels(terrain.across, terrain.down, _FIELDS_PER_SIDE, seed)
    use = np.searchsorted(_PARCEL_SHARES, noise.scatter(parcels.number, seed))
    forest = _forest(terrain, seed)
    wild = forest | (terrain.hills > 0.45)
    material = np.where(forest, FOREST, np.where(wild, GRASS, _PARCEL_KINDS[use])).astype(np.uint8)
    change = np.where(wild, 0, _PARCEL_CHANGES[use]).astype(np.uint8)
    change[forest & noise.inside_blocks(terrain.across, terrain.down, _CLEAR_CUTS, 0.3)] = LOSS
    quarter = noise.inside_blocks(terrain.across, terrain.down, _NEW_QUARTER, 0.42)
    material[quarter] = np.array([CROP, PALE_CROP, GRADED])[use % 3][quarter]
    change[quarter] = BUILT
    spread = np.where(wild, 0, 0.18 * (noise.scatter(parcels.number, 2) - 0.5))
    tone = 1 + spread + 0.04 * noise.fractal(material.shape[0], 40, 4, noise.generator(seed, 8))
    return material, change, tone.astype(np.float32), np.where(wild, np.float32(9), parcels.edge)


def _vigour(terrain: _Terrain, seed: int) -> Floats:
    patches = noise.fractal(terrain.hills.shape[0], 20, 6, noise.generator(seed, 11), 0.7).clip(-2.5, 2.5)
    # Fields and towns vary less than wild land: beyond a tenth, a roof would no longer pass for built-up.
    return np.asarray(1 + np.where(terrain.hills > 0.45, 0.088, 0.04) * patches, np.float32)


def _mark_reservoir(material: Codes, change: Codes, reservoir: Floats) -> None:
    """Draw into 10 m maps the valley that will fill, and the rim that stays bare at both dates."""
    depth, shore = noise.enlarge(reservoir) * material.shape[0], material.shape[0] * 0.0015
    material[(depth > -shore) & (depth < 0)] = SHORE
    material[depth >= 0] = GRASS
    change[depth > -shore] = 0
    change[depth >= 0] = WATER


def _draw_plan(size: int, seed: int) -> _Plan:
    half = size // 2
    terrain = _terrain(half, seed)
    ground, changes, tone, edge = _lay_out(terrain, seed)
    material, change = noise.repeat(ground), noise.repeat(changes)
    ragged = 0.36 * noise.fractal(half, 14, 7, noise.generator(seed, 7), 0.7) - 0.15
    town = noise.repeat(noise.ragged_discs(terrain.across, terrain.down, _TOWNS, ragged))
    material[town] = _build(noise.town_blocks(town, seed))
    road = noise.enlarge(noise.winding_roads(terrain.across, terrain.down, _ROADS) * (terrain.hills < 0.3))
    material[(change == BUILT) & (road > 0.35)] = STREET
    change[town | (road > 0.35)] = 0
    depth = noise.enlarge(np.maximum(terrain.river, terrain.lake)) * size
    _mark_reservoir(material, change, terrain.reservoir)
    water = np.clip(depth + 0.5, 0, 1)
    change[water > 0] = 0
    murk = 0.12 + 0.6 * (terrain.lake < -0.01) - 0.35 * (terrain.reservoir > -0.01)
    turbidity = murk.astype(np.float32)
    margin = 0.42 * np.clip(1.25 - noise.enlarge(edge), 0, 1) * (change != BUILT) * ~town
    return _Plan(terrain.elevation, tone, _vigour(terrain, seed), turbidity, material, change, water, margin, road)


def _apply_change(plan: _Plan) -> tuple[Codes, Floats]:
    """Material and share of water at 10 m once the changes have happened."""
    material, change = plan.material.copy(), plan.change
    lost, quarter = change == LOSS, change == BUILT
    material[lost] = np.where(plan.material[lost] == FOREST, SLASH, DAMP_SOIL)
    material[change == GAIN] = CROP
    blocks = noise.town_blocks(quarter, 0)
    roofs = np.where((blocks.chance > 0.93) | (blocks.quarter > 0.9), PALE_ROOF, ROOF)
    material[quarter] = np.where(blocks.street, STREET, roofs)
    return material, np.maximum(plan.water, (change == WATER).astype(np.float32))


def _draw_view(plan: _Plan, date: str, seed: int) -> _View:
    size = plan.material.shape[0]
    half, winter = size // 2, date == "after"
    material, water = _apply_change(plan) if winter else (plan.material, plan.water)
    texture = noise.fractal(size, size // 8, 3, noise.generator(seed, 9), 0.8)
    brightness = 1 + _MATERIALS[:, 6][material] * texture.clip(-2, 2)
    brightness *= noise.enlarge(noise.shading(plan.elevation, *_SUN[date])) * noise.repeat(plan.tone)
    sky = noise.sky(half, noise.generator(seed, 20 + winter), (0.042, 0.020) if winter else (0.012, 0.022))
    across, down = noise.coordinates(half)
    nodata = across > (0.966 if winter else 0.972) - 0.10 * down
    return _View(material, brightness, water, sky, nodata)


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """The sandbox's scene of size x size pixels of 10 m; size is a multiple of 64 from 256 to 2048."""

    size: int = 2048
    seed: int = 20240715

    def __post_init__(self) -> None:
        if self.size % 64 or not 256 <= self.size <= 2048:
            raise ValueError(f"size must be a multiple of 64 from 256 to 2048, not {self.size}")

    def reflectance(self, date: str, band: str) -> Floats:
        """Surface reflectance (1 for a perfect reflector), NaN where nodata, float32: (size, size) for a 10 m
        band, (size / 2, size / 2) for nir08, swir16 and swir22."""
        if band not in BANDS:
            raise ValueError(f"unknown band {band!r}; bands are {', '.join(BANDS)}")
        view = self._view(date)
        field = view.sky.over(self._ground(view, date, band), _CLOUD[_SPECTRUM_COLUMN[band]]).clip(0, 1.2)
        field[noise.repeat(view.nodata)] = np.nan
        return noise.block_mean(field) if band in COARSE_BANDS else field

    def scene_classification(self, date: str) -> Codes:
        """Sentinel-2 scene classes at 20 m, uint8 of shape (size / 2, size / 2)."""
        view = self._view(date)
        classes = _MATERIALS[:, 7].astype(np.uint8)[view.material[::2, ::2]]
        lit = noise.shading(self._plan.elevation, *_SUN[date])
        classes[(view.material[::2, ::2] == FOREST) & (lit < 0.66)] = 2
        classes[noise.block_mean(view.water) > 0.5] = 6
        classes[view.sky.shadow > 0] = 3
        classes[view.sky.cirrus > 0] = 10
        classes[view.sky.cloud > 0] = 8
        classes[view.sky.cloud > 0.5] = 9
        classes[view.nodata] = 0
        return classes

    def truth(self) -> Codes:
        """The change each 10 m pixel was made with, uint8 of shape (size, size): 0 none, 1 vegetation gain, 2
        vegetation loss, 3 built-up gain, 4 water change, 255 nodata at either date; clouds are not in it."""
        change = self._plan.change.copy()
        before, after = (self._view(date).nodata for date in DATES)
        change[noise.repeat(before | after)] = NODATA
        return change

    @cached_property
    def _plan(self) -> _Plan:
        return _draw_plan(self.size, self.seed)

    @cached_property
    def _views(self) -> dict[str, _View]:
        return {date: _draw_view(self._plan, date, self.seed) for date in DATES}

    def _view(self, date: str) -> _View:
        if date not in DATES:
            raise ValueError(f"unknown date {date!r}; dates are {', '.join(DATES)}")
        return self._views[date]

    def _ground(self, view: _View, date: str, band: str) -> Floats:
        """The ground at 10 m as the sensor sees it through a clear sky."""
        column, plan = _SPECTRUM_COLUMN[band], self._plan
        spectrum = _MATERIALS[:, column]
        field = spectrum[view.material]
        field += plan.margin * (spectrum[FOREST] - field)
        field += plan.road * (spectrum[STREET] - field)
        field *= view.brightness
        # Denser leaves reflect more in the near infrared and absorb more everywhere else.
        field *= noise.repeat(plan.vigour if column == 3 else 1 / plan.vigour)
        clear, turbid = _CLEAR_WATER[column], _TURBID_WATER[column]
        field += view.water * (noise.repeat(clear + plan.turbidity * (turbid - clear)) - field)
        field = noise.soften(field, 0.07)
        random = noise.generator(self.seed, 100 + 10 * DATES.index(date) + BANDS.index(band))
        grain = random.standard_normal(field.shape, dtype=np.float32)
        field *= _WINTER_GAIN[column] if date == "after" else 1
        field *= _NIR08_OVER_NIR if band == "nir08" else 1
        field += grain * (0.0008 + 0.006 * field)
        return field
