"""What an operation says about itself: formula and source, params, classes, colours, scenes to try it with."""

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from django.contrib.staticfiles import finders

from ..raster.colormaps import Colormap, colors
from ..raster.operations import get_operation
from ..raster.types import PixelFormat

# Two dates of the sandbox's landscape, which every test key can read.
SCENES = ("sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929")
_NODES = 11  # colours of a legend


@dataclass(frozen=True, kw_only=True)
class Param:
    name: str
    kind: str
    default: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """A class of the map: its DN, name, and colour as RRGGBB."""

    value: int
    name: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """A colormap over -1..1, as RRGGBB for equal steps."""

    name: str
    stops: tuple[tuple[int, str], ...]  # percent of the way, and colour


def about(name: str) -> Mapping[str, Any]:
    """What the page of an operation shows beside its text."""
    operation = get_operation(name)
    properties = operation.params_model.model_json_schema()["properties"]
    formula, _, source = (inspect.getdoc(inspect.getmodule(type(operation))) or "").partition("\n\nSource: ")
    return {
        "name": name,
        "operation": operation,
        "formula": formula,
        "source": " ".join(source.split()),
        "params": [_param(each, schema) for each, schema in properties.items()],
        "classes": list(_classes(operation.pixel_format(operation.params_model()))),
        "ramps": [_ramp(each) for each in get_args(Colormap)] if "colormap" in properties else [],
        "example": _example(name),
        "picture": picture if finders.find(picture := f"docs/{name}.jpg") else "",
    }


def _example(name: str) -> str:
    """The body of a submit that works with a test key, as JSON."""
    operation = get_operation(name)
    # One scene is the latest; of two the earlier one comes first.
    scene_ids = list(SCENES[-len(operation.scene_roles) :])
    return json.dumps({"operation": name, "scene_ids": scene_ids}, indent=2)


def _param(name: str, schema: Mapping[str, Any]) -> Param:
    default = "none" if schema["default"] is None else json.dumps(schema["default"])
    return Param(name=name, kind=_kind(schema), default=default, description=schema.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """The type in words."""
    if choices := schema.get("anyOf"):
        kinds = [_kind(each) for each in choices if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if choices := schema.get("enum"):
        return ", ".join(str(each) for each in choices)
    if schema["type"] == "array":
        return f"array of {_kind(schema['items'])}s"
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['type']}, {schema['minimum']} to {schema['maximum']}"
    return "GeoJSON" if "coordinates" in schema.get("properties", {}) else str(schema["type"])


def _classes(pixel_format: PixelFormat) -> Iterator[Swatch]:
    for value, name in enumerate(pixel_format.class_names):
        red, green, blue, _ = pixel_format.palette[value]
        yield Swatch(value=value, name=name, color=bytes((red, green, blue)).hex())


def _ramp(name: Colormap) -> Ramp:
    found = [bytes(color).hex() for color in colors(name, _NODES).tolist()]
    return Ramp(name=name, stops=tuple((100 * step // (_NODES - 1), color) for step, color in enumerate(found)))
