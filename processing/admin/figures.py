"""The numbers of a result: the few that matter, its chart, and what each scene was read as."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astra.pages import Chart, Part, column_chart

from ..models import Job
from ..raster.colormaps import colors
from . import cells

_PERCENTS = ("valid", "masked", "overlap", "aoi_covered")
_NO_CHANGE = 0
_BAR = 160  # pixels of the widest bar


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class of a change map, with its colour (RRGGBB) and the width of its bar in pixels."""

    name: str
    hectares: str
    percent: str
    color: str
    width: int


@dataclass(frozen=True, kw_only=True)
class SceneRow:
    scene_id: str
    item: str
    sensed: str
    baseline: str
    catalogue: str
    bands: list[str]


def key_figures(job: Job) -> list[tuple[str, str]]:
    """(what, how much)."""
    return list(_figures(job))


def _figures(job: Job) -> Iterator[tuple[str, str]]:
    statistics = _statistics(job)
    for name in _PERCENTS:
        if (percent := statistics.get(f"{name}_percent")) is not None:
            yield name.replace("_", " "), f"{percent:.1f} %"
    if "mean" in statistics:
        yield "mean", f"{statistics['mean']:.3f}"
    for row in statistics.get("classes", ()):
        if row["value"] != _NO_CHANGE and row["hectares"]:
            yield row["name"], f"{row['hectares']:,.0f} ha"
    if job.result and "file:size" in job.result:
        yield "file", cells.size(job.result["file:size"])


def histogram(job: Job) -> Chart | None:
    """Of an index, in the colours of the map."""
    found = _statistics(job).get("histogram")
    if not found:
        return None
    buckets, low = found["buckets"], found["min"]
    step = (found["max"] - low) / len(buckets)
    palette = colors(job.params.get("colormap") or "rdylgn", len(buckets))
    columns = [
        [Part(value=count, title=f"{low + n * step:.1f} to {low + (n + 1) * step:.1f}: {count:,} pixels", color=color)]
        for n, (count, color) in enumerate(zip(buckets, (bytes(each).hex() for each in palette), strict=True))
    ]
    middle = (low + found["max"]) / 2
    labels = (f"{low:g}", f"{middle:g}", f"{found['max']:g}")
    return column_chart(f"Histogram of {job.operation.upper()}: pixels by value", columns, labels, width=400, height=90)


def class_rows(job: Job) -> list[ClassRow]:
    classes = _statistics(job).get("classes", [])
    hints = {each["value"]: each.get("color_hint", "") for each in (job.result or {}).get("classification:classes", ())}
    most = max((row["hectares"] for row in classes), default=0) or 1
    return [
        ClassRow(
            name=row["name"],
            hectares=f"{row['hectares']:,.1f}",
            percent=f"{row['percent']:.1f}",
            color=hints.get(row["value"], ""),
            width=max(1, round(_BAR * row["hectares"] / most)) if row["hectares"] else 0,
        )
        for row in classes
    ]


def scene_rows(job: Job) -> list[SceneRow]:
    """As they were read; of a job without a result only their ids."""
    known = {
        scene["scene_id"]: scene
        for scene in (job.result or {}).get("provenance", {}).get("scenes", ())
        if isinstance(scene, dict)
    }
    return [_scene_row(scene_id, known.get(scene_id, {})) for scene_id in job.scene_ids]


def _scene_row(scene_id: str, scene: Mapping[str, Any]) -> SceneRow:
    return SceneRow(
        scene_id=scene_id,
        item=scene.get("item") or "",
        sensed=(scene.get("datetime") or "")[:19].replace("T", " "),
        baseline=scene.get("processing_baseline") or "",
        catalogue=" ".join(str(scene[name]) for name in ("catalogue", "collection") if scene.get(name)),
        bands=[_band(name, band) for name, band in scene.get("bands", {}).items()],
    )


def _band(name: str, band: Mapping[str, Any]) -> str:
    """Such as red: B04, offset -0.1 (baseline 05.11)."""
    reason = f" ({band['offset_reason']})" if band.get("offset_reason") else ""
    return f"{name}: {band.get('asset', '')}, offset {band.get('offset', 0):g}{reason}"


def _statistics(job: Job) -> Mapping[str, Any]:
    return (job.result or {}).get("statistics") or {}
