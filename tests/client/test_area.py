"""Option --aoi: what GIS programs write, as the API takes it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from astra_client.cli.area import Area

RING = [[15.0, 45.9], [15.1, 45.9], [15.1, 46.0], [15.0, 45.9]]
OTHER = [[16.0, 45.9], [16.1, 45.9], [16.1, 46.0], [16.0, 45.9]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
BOTH = {"type": "MultiPolygon", "coordinates": [[RING], [OTHER]]}


def feature(geometry: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": "field"}, "geometry": geometry}


def collection(*geometries: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "crs": {}, "features": [feature(geometry) for geometry in geometries]}


def area(folder: Path, document: Any) -> Any:
    path = folder / "area.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return Area().convert(str(path), None, None)


@pytest.mark.parametrize(
    ("document", "geometry"),
    [
        (POLYGON, POLYGON),
        (BOTH, BOTH),
        (feature(POLYGON), POLYGON),
        (collection(POLYGON), POLYGON),
        (collection(POLYGON, {"type": "Polygon", "coordinates": [OTHER]}), BOTH),
        (collection(BOTH), BOTH),
    ],
    ids=["polygon", "multipolygon", "feature", "collection", "two features", "multipolygon in a collection"],
)
def test_polygons_of_a_file_are_one_geometry(tmp_path: Path, document: Any, geometry: Any) -> None:
    assert area(tmp_path, document) == geometry


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "null",
        "{",
        {"type": "Point", "coordinates": [15, 45]},
        collection(),
        feature(None),
        {"type": "Polygon"},
    ],
    ids=str,
)
def test_anything_else_is_named(tmp_path: Path, document: Any) -> None:
    with pytest.raises(click.BadParameter, match="polygon"):
        area(tmp_path, document)


def test_box_is_written_out() -> None:
    assert Area().convert("15, 45.9,15.1,-46", None, None) == [15, 45.9, 15.1, -46]


@pytest.mark.parametrize("text", ["15,45,16", "no-such-file.geojson", "."])
def test_neither_box_nor_file_says_what_to_write(text: str) -> None:
    with pytest.raises(click.BadParameter, match="west,south,east,north"):
        Area().convert(text, None, None)
