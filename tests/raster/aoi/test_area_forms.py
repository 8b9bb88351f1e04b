"""What an area of interest is, and what is refused."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from processing.raster.operations.change_detection import ChangeDetectionParams
from processing.raster.operations.ndvi import NdviParams
from tests.raster.aoi.areas import (
    multi,
    polygon,
)

RING = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]
HOLE = [[10.2, 50.2], [10.2, 50.4], [10.4, 50.4], [10.4, 50.2], [10.2, 50.2]]


def moved(ring: list[list[float]], east: float) -> list[list[float]]:
    return [[lon + east, lat] for lon, lat in ring]


def circle(vertices: int) -> list[list[float]]:
    """A ring of so many positions, of which the last is the first."""
    angles = 2 * np.pi * np.arange(vertices - 1) / (vertices - 1)
    ring = [[10 + float(np.cos(angle)), 50 + float(np.sin(angle))] for angle in angles]
    return [*ring, ring[0]]


AREAS: dict[str, Any] = {
    "box": [10, 50, 11, 51],
    "box of fractions": [-122.31, 37.58, -122.3, 37.59],
    "box of the Earth": [-180, -90, 180, 90],
    "box over the antimeridian": [179.5, -1, -179.5, 1],
    "box up to it": [179.5, -1, 180, 1],
    "box over the antimeridian, half the Earth wide": [10, -5, -170, 5],
    "polygon": polygon(RING),
    "polygon the other way round": polygon(RING[::-1]),
    "polygon with a hole": polygon(RING, HOLE),
    "polygon with heights": polygon([[*position, 300.5] for position in RING]),
    "polygon with a bbox": {**polygon(RING), "bbox": [10, 50, 11, 51]},
    "two polygons": multi([RING], [moved(RING, 2), moved(HOLE, 2)]),
    "1,000 vertices": polygon(circle(1000)),
    "1,000 vertices in two": multi([circle(400)], [moved(circle(600), 20)]),
}

NO_AREAS: dict[str, Any] = {
    "nothing": {},
    "a name": "Paris",
    "a number": 4,
    "true": True,
    "three numbers": [10, 50, 11],
    "six numbers": [10, 50, 0, 11, 51, 100],
    "no numbers": [],
    "numbers in words": ["10", "50", "11", "51"],
    "true among numbers": [True, 50, 11, 51],
    "null among numbers": [None, 50, 11, 51],
    "NaN": [float("nan"), 50, 11, 51],
    "infinity": [10, 50, float("inf"), 51],
    "a huge number": [10, 50, 10**400, 51],
    "a huge number in a polygon": polygon([*RING[:2], [10**400, 51], *RING[3:]]),
    "south above north": [10, 51, 11, 50],
    "no height": [10, 50, 11, 50],
    "no width": [10, 50, 10, 51],
    "no width at the antimeridian": [180, 50, -180, 51],
    "swapped west and east": [11, 50, 10, 51],
    "over the antimeridian and half the Earth": [10, -5, -169.9, 5],
    "beyond 180": [10, 50, 180.1, 51],
    "beyond -180": [-180.1, 50, 11, 51],
    "beyond the pole": [10, 50, 11, 90.1],
    "latitude before longitude": [50, 100, 51, 101],
    "feature": {"type": "Feature", "geometry": polygon(RING), "properties": {}},
    "collection": {"type": "FeatureCollection", "features": []},
    "geometry collection": {"type": "GeometryCollection", "geometries": [polygon(RING)]},
    "point": {"type": "Point", "coordinates": [10, 50]},
    "line": {"type": "LineString", "coordinates": RING},
    "no type": {"coordinates": [RING]},
    "type in lower case": {"type": "polygon", "coordinates": [RING]},
    "type as a list": {"type": ["Polygon"], "coordinates": [RING]},
    "another CRS": {**polygon(RING), "crs": {"type": "name"}},
    "no coordinates": {"type": "Polygon"},
    "null coordinates": {"type": "Polygon", "coordinates": None},
    "coordinates as a number": {"type": "Polygon", "coordinates": 5},
    "no ring": polygon(),
    "empty ring": polygon([]),
    "no polygons": multi(),
    "empty polygon": multi([]),
    "polygon in place of polygons": {"type": "MultiPolygon", "coordinates": [RING]},
    "polygons in place of a polygon": {"type": "Polygon", "coordinates": [[RING]]},
    "three positions": polygon([[10, 50], [11, 50], [10, 50]]),
    "open ring": polygon(RING[:-1]),
    "ring of one point": polygon([[10, 50]] * 4),
    "ring without extent": polygon([[10, 50], [11, 51], [12, 52], [10, 50]]),
    "crossing itself": polygon([[10, 50], [11, 51], [11, 50], [10, 51], [10, 50]]),
    "hole outside": polygon(RING, moved(HOLE, 5)),
    "hole over the edge": polygon(RING, moved(HOLE, -0.3)),
    "polygons over each other": multi([RING], [moved(RING, 0.5)]),
    "one number in a position": polygon([[10], *RING[1:]]),
    "four numbers in a position": polygon([[10, 50, 0, 0], *RING[1:-1], [10, 50, 0, 0]]),
    "words in a position": polygon([["10", "50"], *RING[1:-1], ["10", "50"]]),
    "true in a position": polygon([[True, 50], *RING[1:-1], [True, 50]]),
    "NaN in a position": polygon([*RING[:2], [float("nan"), 51], *RING[3:]]),
    "position beyond 180": polygon(moved(RING, 170)),
    "position as an object": polygon([{"lon": 10, "lat": 50}] * 4),
    "1,001 vertices": polygon(circle(1001)),
    "1,001 vertices in two": multi([circle(400)], [moved(circle(601), 20)]),
}


@pytest.mark.parametrize("model", [ChangeDetectionParams, NdviParams])
@pytest.mark.parametrize("name", AREAS)
def test_an_area_is_kept_as_it_was_given(name: str, model: type[ChangeDetectionParams] | type[NdviParams]) -> None:
    assert model(aoi=AREAS[name]).aoi == AREAS[name]


@pytest.mark.parametrize("model", [ChangeDetectionParams, NdviParams])
@pytest.mark.parametrize("name", NO_AREAS)
def test_no_area(name: str, model: type[ChangeDetectionParams] | type[NdviParams]) -> None:
    with pytest.raises(ValidationError) as error:
        model(aoi=NO_AREAS[name])
    (fault,) = error.value.errors()
    assert fault["loc"] == ("aoi",)
    assert len(fault["msg"]) > 20


def test_no_area_is_everything() -> None:
    assert NdviParams().aoi is None
    assert NdviParams(aoi=None).aoi is None


def test_schema_says_what_an_area_is() -> None:
    schema = NdviParams.model_json_schema()["properties"]["aoi"]
    assert "1000" in schema["description"]
    kinds = [each.get("properties", {}).get("type", {}).get("const", each["type"]) for each in schema["anyOf"]]
    assert kinds == ["array", "Polygon", "MultiPolygon", "null"]
