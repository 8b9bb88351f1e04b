"""Universal Transverse Mercator on WGS 84, without PROJ.

Source: Karney (2011), Transverse Mercator with an accuracy of a few nanometers, equations 7 to 12, 14, 35 and 36, to
the fourth order of the third flattening: exact to a micrometre within the reach of a scene.
"""

import numpy as np

from ..types import Float64Array
from .ellipsoid import ECCENTRICITY, FLATTENING, SEMI_MAJOR

_NORTHERN, _SOUTHERN = range(32601, 32661), range(32701, 32761)  # EPSG codes
_SCALE, _FALSE_EASTING, _FALSE_NORTHING = 0.9996, 500_000.0, 10_000_000.0
_N = FLATTENING / (2 - FLATTENING)
_RADIUS = _SCALE * SEMI_MAJOR / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_FORWARD = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)
_INVERSE = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)
_STEPS_OF_NEWTON = 5


def is_utm(epsg: int) -> bool:
    return epsg in _NORTHERN or epsg in _SOUTHERN


def to_utm(epsg: int, longitudes: Float64Array, latitudes: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Eastings and northings in the zone of that code; infinite a quarter of the Earth or more away from it."""
    away = np.radians((longitudes - _meridian(epsg) + 180) % 360 - 180)
    tangent = _conformal(np.tan(np.radians(latitudes)))
    across = np.arctan2(tangent, np.cos(away))
    along = np.arcsinh(np.sin(away) / np.hypot(tangent, np.cos(away)))
    terms = [(factor, 2 * (order + 1)) for order, factor in enumerate(_FORWARD)]
    north = across + sum(factor * np.sin(n * across) * np.cosh(n * along) for factor, n in terms)
    east = along + sum(factor * np.cos(n * across) * np.sinh(n * along) for factor, n in terms)
    seen = np.abs(away) < np.pi / 2
    xs, ys = _FALSE_EASTING + _RADIUS * east, _false_northing(epsg) + _RADIUS * north
    return np.where(seen, xs, np.inf), np.where(seen, ys, np.inf)


def from_utm(epsg: int, xs: Float64Array, ys: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Longitudes and latitudes."""
    north, east = (ys - _false_northing(epsg)) / _RADIUS, (xs - _FALSE_EASTING) / _RADIUS
    terms = [(factor, 2 * (order + 1)) for order, factor in enumerate(_INVERSE)]
    across = north - sum(factor * np.sin(n * north) * np.cosh(n * east) for factor, n in terms)
    along = east - sum(factor * np.cos(n * north) * np.sinh(n * east) for factor, n in terms)
    away = np.arctan2(np.sinh(along), np.cos(across))
    wanted = np.sin(across) / np.hypot(np.sinh(along), np.cos(across))
    longitudes = (np.degrees(away) + _meridian(epsg) + 180) % 360 - 180
    return longitudes, np.degrees(np.arctan(_geographic(wanted)))


def _conformal(tangent: Float64Array) -> Float64Array:
    """Tangent of the conformal latitude by that of the geographic one."""
    root = np.hypot(1, tangent)
    sigma = np.sinh(ECCENTRICITY * np.arctanh(ECCENTRICITY * tangent / root))
    conformal: Float64Array = tangent * np.hypot(1, sigma) - sigma * root
    return conformal


def _geographic(wanted: Float64Array) -> Float64Array:
    """The inverse of `_conformal`, by Newton's method (Karney, equations 19 to 21)."""
    tangent, rest = wanted, 1 - ECCENTRICITY**2
    for _ in range(_STEPS_OF_NEWTON):
        found = _conformal(tangent)
        slope = (1 + rest * tangent**2) / (rest * np.hypot(1, tangent))
        tangent = tangent + (wanted - found) / np.hypot(1, found) * slope
    return tangent


def _meridian(epsg: int) -> float:
    return float(epsg % 100 * 6 - 183)


def _false_northing(epsg: int) -> float:
    return _FALSE_NORTHING if epsg in _SOUTHERN else 0.0
