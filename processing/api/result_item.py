"""The result of a job as a STAC Item, for catalogues and GIS programs.

STAC 1.1 with the extensions classification 2.0, file 2.1, processing 1.2, projection 2.0, raster 2.0, timestamps 1.1.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ..links import picture_link
from ..models import Job
from ..raster.operations import get_operation
from ..raster.types import COG_MEDIA_TYPE, PNG_MEDIA_TYPE, PREVIEW, THUMBNAIL, moment_of
from ..results import pictures_of

# The extension of a field, by the part of its name before the colon.
_EXTENSIONS = {
    "classification": "classification/v2.0.0",
    "expires": "timestamps/v1.1.0",
    "file": "file/v2.1.0",
    "proj": "projection/v2.0.0",
    "processing": "processing/v1.2.0",
    "raster": "raster/v2.0.0",
}
_SOFTWARE = {"astra": "ASTRA", "gdal": "GDAL", "rasterio": "rasterio", "numpy": "NumPy"}
_ROLES = {PREVIEW: "overview", THUMBNAIL: "thumbnail"}
_OF_FILE = ("file:size", "file:checksum")
_OF_PROJECTION = ("proj:code", "proj:shape", "proj:transform")


def result_item(job: Job, href: str, origin: str) -> dict[str, Any]:
    """The STAC Item of a completed job. `href` is the link to its file, `origin` the base of other links."""
    result: dict[str, Any] = job.result or {}
    properties, asset = _properties(job, result), _asset(job, result, href)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _extensions_of(properties, asset, *asset.get("bands", ())),
        "id": job.pk,
        "geometry": result.get("geometry"),
        **({"bbox": result["bbox"]} if "bbox" in result else {}),
        "properties": properties,
        "links": list(_links(job, result, origin)),
        "assets": {"data": asset, **_pictures(job, origin)},
    }


def _extensions_of(*parts: dict[str, Any]) -> list[str]:
    """The schemas of the fields that are there: some of them refuse items without any of their fields."""
    prefixes = {name.partition(":")[0] for part in parts for name in part}
    used = sorted(_EXTENSIONS[prefix] for prefix in prefixes if prefix in _EXTENSIONS)
    return [f"https://stac-extensions.github.io/{name}/schema.json" for name in used]


def _properties(job: Job, result: dict[str, Any]) -> dict[str, Any]:
    operation = get_operation(job.operation)
    versions = result.get("provenance", {}).get("versions", {})
    named = {_SOFTWARE[name]: version for name, version in versions.items() if name in _SOFTWARE}
    return {
        "title": operation.title,
        "description": operation.description,
        **_times(_scenes(result), job.completed_at or job.created_at),
        "created": _text(job.completed_at or job.created_at),
        "expires": _text(job.expires_at or job.created_at),
        "gsd": result.get("gsd"),
        **{name: result[name] for name in _OF_PROJECTION if name in result},
        **({"processing:software": named} if named else {}),
        **({"processing:version": versions["astra"]} if "astra" in versions else {}),
        "processing:lineage": f"{operation.title} of {' and '.join(job.scene_ids)}",
        "astra:operation": job.operation,
        "astra:params": job.params,
        "astra:statistics": result.get("statistics", {}),
        "astra:warnings": job.warnings,
    }


def _times(scenes: Sequence[dict[str, Any]], otherwise: datetime) -> dict[str, Any]:
    """When the scenes were sensed: one time, or from the first to the last. If none says it, `otherwise`."""
    moments = sorted(moment for scene in scenes if (moment := moment_of(scene.get("datetime"))))
    if len(moments) > 1:
        return {"datetime": None, "start_datetime": _text(moments[0]), "end_datetime": _text(moments[-1])}
    return {"datetime": _text(moments[0] if moments else otherwise)}


def _links(job: Job, result: dict[str, Any], origin: str) -> Iterator[dict[str, str]]:
    place = f"{origin}/api/v1/process/{job.pk}"
    yield {"rel": "self", "href": f"{place}/item", "type": "application/geo+json"}
    yield {"rel": "via", "href": place, "type": "application/json", "title": "The job"}
    for scene in _scenes(result):
        if scene.get("item_href"):
            yield {"rel": "derived_from", "href": scene["item_href"], "type": "application/geo+json"}


def _asset(job: Job, result: dict[str, Any], href: str) -> dict[str, Any]:
    classes = {name: result[name] for name in ("classification:classes",) if name in result}
    bands = [{"name": job.operation, **band, **classes} for band in result.get("bands", ())]
    return {
        "href": href,
        "type": COG_MEDIA_TYPE,
        "roles": ["data"],
        **{name: result[name] for name in _OF_FILE if name in result},
        **({"bands": bands} if bands else {}),
    }


def _pictures(job: Job, origin: str) -> dict[str, dict[str, Any]]:
    """For browsers: of the result and of the scenes that it compares, in web mercator over the bbox."""
    return {
        name: {
            "href": picture_link(job, name, origin),
            "type": PNG_MEDIA_TYPE,
            "roles": [_ROLES.get(name, "visual")],
            "proj:code": "EPSG:3857",
        }
        for name in pictures_of(job)
    }


def _scenes(result: dict[str, Any]) -> list[dict[str, Any]]:
    return list(result.get("provenance", {}).get("scenes", ()))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
