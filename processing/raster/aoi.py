"""The area of interest: a box or polygons in WGS 84, checked before anything is read.

Source of the form: RFC 7946 (GeoJSON), sections 3.1.6, 3.1.7 and 5. A box whose west is greater than its east crosses
the antimeridian.
"""

import math
from typing import Annotated, Any

import shapely
from pydantic import BeforeValidator, WithJsonSchema
from shapely.geometry.base import BaseGeometry

_MOST_VERTICES = 1000
# Of all edges, planar. Edges are cut into short ones before they are projected, so this bounds the work of a job. It is
# ten times around the Earth; the outline of the whole Earth has 1,080 degrees, that of a country hardly 100.
_LONGEST_OUTLINE_DEGREES = 3600
_WIDEST_CROSSING_DEGREES = 180
_SHOWN = 200  # characters of unknown names in a message

_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
_RING = {"type": "array", "items": _POSITION, "minItems": 4}
_POLYGON = {"type": "array", "items": _RING, "minItems": 1}


def _schema(kind: str, coordinates: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, "coordinates": coordinates},
        "required": ["type", "coordinates"],
    }


_JSON_SCHEMA = {
    "description": "Area of interest in WGS 84: [west, south, east, north], or a GeoJSON Polygon or MultiPolygon of at "
    f"most {_MOST_VERTICES} vertices, whose edges have {_LONGEST_OUTLINE_DEGREES} degrees in all at most. "
    "Only it is read, and the result covers its bounding window.",
    "anyOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        _schema("Polygon", _POLYGON),
        _schema("MultiPolygon", {"type": "array", "items": _POLYGON, "minItems": 1}),
        {"type": "null"},
    ],
}


def check_area(value: Any) -> Any:
    """The value as it was given, if it is an area. Raises ValueError with a sentence for the caller."""
    if value is not None:
        geometry(value)
    return value


AreaOfInterest = Annotated[Any, BeforeValidator(check_area), WithJsonSchema(_JSON_SCHEMA)]


def geometry(value: Any) -> BaseGeometry:
    """The area as a valid geometry in degrees, with the vertices that it was given. Raises ValueError."""
    if isinstance(value, list):
        return _box(value)
    if isinstance(value, dict) and value.get("type") in ("Polygon", "MultiPolygon"):
        return _polygons(value)
    raise ValueError("An area is [west, south, east, north] or a GeoJSON Polygon or MultiPolygon")


def _box(corners: list[Any]) -> BaseGeometry:
    if len(corners) != 4 or not all(_is_number(corner) for corner in corners):
        raise ValueError("A box is four numbers: [west, south, east, north]")
    west, south, east, north = corners
    _check_position([west, south])
    _check_position([east, north])
    if west > east:
        east += 360
        _check_crossing(east - west)
    if west == east or south >= north:
        raise ValueError("A box needs some extent: west before east, south below north")
    return shapely.box(west, south, east, north)


def _check_crossing(degrees: float) -> None:
    """A box around most of the Earth is more likely one whose west and east were swapped."""
    if degrees > _WIDEST_CROSSING_DEGREES:
        raise ValueError(
            f"A box with west > east crosses the antimeridian, and this one would be {degrees:g} degrees wide, "
            f"more than {_WIDEST_CROSSING_DEGREES}. Swap west and east if it does not cross the antimeridian"
        )


def _polygons(value: dict[str, Any]) -> BaseGeometry:
    unknown = set(value) - {"type", "coordinates", "bbox"}
    if unknown:
        raise ValueError(f"An area has type and coordinates only, not {', '.join(sorted(unknown))[:_SHOWN]}")
    polygons = value.get("coordinates")
    polygons = [polygons] if value["type"] == "Polygon" else polygons
    if not isinstance(polygons, list) or not polygons:
        raise ValueError("The coordinates hold no polygon")
    if sum(_count_vertices(polygon) for polygon in polygons) > _MOST_VERTICES:
        raise ValueError(f"An area may have {_MOST_VERTICES} vertices at most")
    area = shapely.MultiPolygon([_polygon(rings) for rings in polygons])
    if area.length > _LONGEST_OUTLINE_DEGREES:
        raise ValueError(
            f"The edges of an area may be {_LONGEST_OUTLINE_DEGREES} degrees long in all, not {area.length:.0f}"
        )
    if not area.is_valid:
        raise ValueError(f"The area is not valid: {shapely.is_valid_reason(area)}")
    return area


def _polygon(rings: list[Any]) -> BaseGeometry:
    for ring in rings:
        for position in ring:
            _check_position(position)
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise ValueError("A ring has four positions or more and ends where it begins")
    shell, *holes = [[position[:2] for position in ring] for ring in rings]
    return shapely.Polygon(shell, holes)


def _count_vertices(polygon: Any) -> int:
    if not isinstance(polygon, list) or not polygon or not all(isinstance(ring, list) for ring in polygon):
        raise ValueError("A polygon is an array of rings, a ring an array of positions")
    return sum(len(ring) for ring in polygon)


def _check_position(position: Any) -> None:
    numbers = isinstance(position, list) and len(position) in (2, 3) and all(_is_number(part) for part in position)
    if not numbers or not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
        raise ValueError("A position is [longitude, latitude] in degrees, from -180 to 180 and from -90 to 90")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf
