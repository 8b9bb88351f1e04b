"""The outline of a grid as GeoJSON (RFC 7946): WGS 84 degrees, cut at the antimeridian."""

from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry import mapping

from ..geometry.pixel_grid import TURNS
from .grid import Grid

_METRES_PER_DEGREE = 111_320.0
_TOLERANCE_PIXELS = 0.1
_WORLD = shapely.box(-180, -90, 180, 90)


def geojson(grid: Grid) -> dict[str, Any]:
    """The outline: a Polygon, or a MultiPolygon on both sides of the antimeridian; true to a tenth of a pixel."""
    tolerance = _TOLERANCE_PIXELS * grid.gsd / _METRES_PER_DEGREE
    outline = shapely.simplify(grid.footprint, tolerance)
    pieces = shapely.union_all([translate(outline, turn).intersection(_WORLD) for turn in TURNS])
    return dict(mapping(shapely.orient_polygons(pieces)))


def bbox(grid: Grid) -> tuple[float, float, float, float]:
    """West, south, east and north. West is greater than east if the box crosses the antimeridian."""
    west, south, east, north = grid.footprint.bounds
    if east - west >= 360:
        return -180.0, south, 180.0, north
    return _around(west), south, _around(east), north


def _around(longitude: float) -> float:
    """The same meridian between -180 and 180."""
    return longitude if -180 <= longitude <= 180 else (longitude + 180) % 360 - 180
