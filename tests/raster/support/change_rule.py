"""A second, plain writing of the rule of change detection: dense arrays, double precision."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from tests.raster.support.pairs import Codes, Dense, Reflectances, Truth

ALL_BANDS = ("blue", "green", "red", "nir", "nir08", "swir16", "swir22")
INDICES = {("nir", "red"), ("green", "nir"), ("green", "swir16"), ("swir16", "nir"), ("swir22", "nir")}


def forms_an_index(bands: Sequence[str]) -> bool:
    roles = {"nir" if band == "nir08" else band for band in bands}
    return any(roles >= set(pair) for pair in INDICES)


BAND_SETS = [bands for size in range(2, 8) for bands in combinations(ALL_BANDS, size) if forms_an_index(bands)]

EPSILON = 1e-6
# An index this close to a limit may be on either side of it in single precision.
TOO_CLOSE = 4e-7


class Rule:
    """The rule on a dense pair. `too_close` marks pixels that rounding may put on either side of a limit."""

    def __init__(self, before: Reflectances, after: Reflectances, threshold: float) -> None:
        self.dates = [{name: np.maximum(values, 0.0) for name, values in date.items()} for date in (before, after)]
        for date in self.dates:
            if "nir" not in date and "nir08" in date:
                date["nir"] = date["nir08"]
        self.threshold = threshold
        self.shape = next(iter(before.values())).shape
        self.too_close: Truth = np.zeros(self.shape, np.bool_)
        self.classes = self._classes()

    def _classes(self) -> Codes:
        rows = [[values for name, values in sorted({**date, **self._indices(date)}.items())] for date in self.dates]
        largest: Dense = np.max([np.abs(new - old) for old, new in zip(*rows, strict=True)], axis=0)
        changed = self._reaches(largest)
        water, built = [self._water(date) for date in self.dates], []
        for date, wet in zip(self.dates, water, strict=True):
            built.append(self._built(date, wet))
        ndvi = [self._indices(date).get("NDVI", np.zeros(self.shape)) for date in self.dates]
        rows_of_the_rule = [
            (~changed, 0),
            (water[0] != water[1], 4),
            (water[0] & water[1], 0),
            (built[1] & ~built[0], 3),
            (self._reaches(ndvi[1] - ndvi[0]) & ~self._below(ndvi[1], 0.2), 1),
            (self._reaches(ndvi[0] - ndvi[1]) & ~self._below(ndvi[0], 0.2), 2),
        ]
        return np.select([row for row, _ in rows_of_the_rule], [np.uint8(code) for _, code in rows_of_the_rule], 0)

    def _indices(self, date: Mapping[str, Dense]) -> dict[str, Dense]:
        pairs = {
            "NDVI": ("nir", "red"),
            "NDWI": ("green", "nir"),
            "MNDWI": ("green", "swir16"),
            "NDBI": ("swir16", "nir"),
            "UI": ("swir22", "nir"),
        }
        return {name: nd(date[a], date[b]) for name, (a, b) in pairs.items() if a in date and b in date}

    def _water(self, date: Mapping[str, Dense]) -> Truth:
        indices = self._indices(date)
        for name in ("MNDWI", "NDWI"):
            if name in indices:
                return (indices[name] > 0) & (date.get("nir", np.zeros(self.shape)) < 0.15)
        if "NDVI" in indices:
            return (date["nir"] < 0.05) | (self._below(indices["NDVI"], 0.01) & (date["nir"] < 0.11))
        return np.zeros(self.shape, np.bool_)

    def _built(self, date: Mapping[str, Dense], water: Truth) -> Truth:
        if "red" not in date or "nir" not in date or not {"swir16", "swir22"} & date.keys():
            return np.zeros(self.shape, np.bool_)
        name, share = ("swir16", 0.55) if "swir16" in date else ("swir22", 0.65)
        swir, red, nir = date[name], date["red"], date["nir"]
        built = ~water & self._below(nd(nir, red), 0.30) & ~self._below(nd(swir, nir), -0.15, excluded=True)
        built &= (nir >= 0.11) & ~self._below(red - share * swir, 0, excluded=True)
        if "blue" in date:
            built &= self._below(nd(swir + red, nir + date["blue"]), 0.18)
        return built

    def _reaches(self, difference: Dense) -> Truth:
        return ~self._below(difference, self.threshold - EPSILON) & ~self._below(difference, EPSILON, excluded=True)

    def _below(self, values: Dense, limit: float, *, excluded: bool = False) -> Truth:
        """values < limit, or values <= limit if the caller's own condition excludes the limit."""
        self.too_close |= np.abs(values - limit) < TOO_CLOSE
        return values <= limit if excluded else values < limit


def nd(a: Dense, b: Dense) -> Dense:
    total = a + b
    return np.where(total == 0, 0.0, (a - b) / np.where(total == 0, 1.0, total))
