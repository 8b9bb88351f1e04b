"""What the colours of a picture mean: classes with their hectares, or a range of values."""

from collections.abc import Mapping
from typing import Any

from ..models import Job
from ..raster.operations import get_operation
from ..raster.types import PixelFormat

_STOPS = 16


def legend_of(job: Job) -> dict[str, Any]:
    """The legend as the page shows it, and `colors` by which its script knows values again."""
    operation = get_operation(job.operation)
    shown = operation.pixel_format(operation.shown_as(operation.params_model.model_validate(job.params)))
    dn = [index for index in range(len(shown.palette)) if index != shown.nodata]
    colors = [_hex(shown, index) for index in dn]
    title = "Changes" if shown.class_names else shown.description
    if shown.class_names:
        return {"title": title, "colors": colors, "names": list(shown.class_names), **_classes(job, shown)}
    low, high = (round(index * shown.scale + shown.offset, 6) for index in (dn[0], dn[-1]))
    ends = {"low": f"{low:g}", "middle": f"{(low + high) / 2:g}", "high": f"{high:g}"}
    return {"title": title, "colors": colors, "names": None, "stops": _stops(colors), **ends}


def _classes(job: Job, shown: PixelFormat) -> dict[str, Any]:
    statistics: Mapping[str, Any] = (job.result or {}).get("statistics", {})
    hectares = {found["value"]: _area(found["hectares"]) for found in statistics.get("classes", ())}
    for value in hectares.keys() - set(statistics.get("detectable_classes", hectares)):
        hectares[value] = "not with these bands"
    return {
        "classes": [
            {"name": name, "color": _hex(shown, value), "hectares": hectares.get(value, "")}
            for value, name in enumerate(shown.class_names)
        ]
    }


def _area(hectares: float) -> str:
    return f"{hectares:,.0f} ha" if hectares >= 10 else f"{hectares:.1f} ha"


def _stops(colors: list[str]) -> list[dict[str, str]]:
    return [
        {"offset": f"{index / _STOPS:.4f}", "color": colors[round(index / _STOPS * (len(colors) - 1))]}
        for index in range(_STOPS + 1)
    ]


def _hex(shown: PixelFormat, index: int) -> str:
    return "#" + bytes(shown.palette[index][:3]).hex()
