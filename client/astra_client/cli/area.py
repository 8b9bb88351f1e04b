"""Option --aoi: a GeoJSON file as GIS programs write it, or a box."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


class Area(click.ParamType[Any]):
    """A box `west,south,east,north`, or a GeoJSON file of polygons: a geometry, a Feature or a FeatureCollection."""

    name = "geojson"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if (box := _box(value)) is not None:
            return box
        try:
            return _one_geometry(json.loads(Path(value).read_text(encoding="utf-8")))
        except OSError as error:
            self.fail(f"cannot read {value!r}: {error.strerror}; or write west,south,east,north.", param, ctx)
        except ValueError as error:
            self.fail(f"{value!r} holds no GeoJSON polygon: {error}", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        return click.Path().shell_complete(ctx, param, incomplete)


def _box(text: str) -> list[float] | None:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    return numbers if len(numbers) == 4 else None


def _one_geometry(document: Any) -> Mapping[str, Any]:
    """The polygons of a document as one geometry. Raises ValueError if there are none, or something else."""
    polygons = [polygon for geometry in _geometries(document) for polygon in _polygons(geometry)]
    if not polygons:
        raise ValueError("it has no feature")
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _geometries(document: Any) -> list[Any]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        return [geometry for feature in document.get("features") or [] for geometry in _geometries(feature)]
    return [document.get("geometry")] if kind == "Feature" else [document]


def _polygons(geometry: Any) -> list[Any]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if kind == "Polygon" and isinstance(coordinates, list):
        return [coordinates]
    if kind == "MultiPolygon" and isinstance(coordinates, list):
        return coordinates
    raise ValueError(f"{kind or 'this'} is neither Polygon nor MultiPolygon")
