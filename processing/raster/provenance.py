"""What a result was made of and how, for the answer and for the file itself.

Nothing in it is a secret: hrefs have neither query nor credentials, as tokens and signatures stand there.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import rasterio

from .grids import Grid, Overlay
from .grids.placement import placement_of, resampling_of
from .radiometry.acquisition import (
    path_and_row,
    product_name,
    relative_orbit,
    sun_azimuth,
    sun_elevation,
)
from .radiometry.mask_classes import masked_classes
from .radiometry.offset import processing_baseline
from .reading import OpenScene
from .reading.raster_file import RasterFile
from .types import Band, RasterJob, RemoteFile, S3File, Scene, Source

_WEB_SCHEMES = ("http", "https", "s3")


def provenance(scenes: Sequence[OpenScene], overlay: Overlay, version: str) -> dict[str, Any]:
    """All scenes of a job, and the software that computed its result. `version` is that of this service."""
    return {
        "scenes": [_of_scene(opened, overlay.grid_for(index)) for index, opened in enumerate(scenes)],
        "versions": {
            **({"astra": version} if version else {}),
            "gdal": rasterio.__gdal_version__,
            "rasterio": rasterio.__version__,
            "numpy": np.__version__,
        },
    }


def tags(job: RasterJob, scenes: Sequence[OpenScene], version: str, origin: Mapping[str, Any]) -> dict[str, str]:
    """What the file was made of and by, to stand in the file itself. `origin` is the provenance."""
    return {
        "TIFFTAG_SOFTWARE": f"ASTRA {version}".strip(),
        "ASTRA_OPERATION": job.operation,
        "ASTRA_SCENES": " ".join(str(opened.scene.id) for opened in scenes),
        "ASTRA_ITEMS": " ".join(opened.scene.item_id for opened in scenes),
        "ASTRA_DATETIMES": " ".join(str(opened.scene.properties.get("datetime")) for opened in scenes),
        "ASTRA_BANDS": " ".join(scenes[0].bands),
        "ASTRA_PARAMS": job.params.model_dump_json(),
        "ASTRA_PROVENANCE": json.dumps(origin["scenes"]),
        "ASTRA_VERSIONS": json.dumps(origin["versions"]),
    }


def _of_scene(opened: OpenScene, grid: Grid) -> dict[str, Any]:
    """One scene: its item, its files, how their DN became reflectance and came onto `grid`."""
    scene = opened.scene
    return {
        "scene_id": str(scene.id),
        "item": scene.item_id,
        "item_href": _item_href(scene),
        "catalogue": scene.catalogue,
        "collection": scene.collection,
        "product": product_name(scene),
        "datetime": scene.properties["datetime"] if scene.datetime else None,
        "processing_baseline": processing_baseline(scene),
        "relative_orbit": relative_orbit(scene),
        "wrs_path_row": path_and_row(scene),
        "sun_elevation": sun_elevation(scene),
        "sun_azimuth": sun_azimuth(scene),
        "bands": {
            name: {**band.provenance(), **_of_file(opened.files[name], grid)} for name, band in opened.bands.items()
        },
        "offset_check": opened.offset_check.provenance() if opened.offset_check else None,
        "mask": opened.mask.asset if opened.mask else None,
        "mask_file": _of_file(opened.mask_file, grid) if opened.mask_file else None,
        "masked_classes": masked_classes(opened.mask.kind) if opened.mask else None,
    }


def _of_file(file: RasterFile, grid: Grid) -> dict[str, Any]:
    return {
        "href": _href(file.wanted.source),
        "etag": file.etag,
        "resampling": resampling_of(placement_of(grid, file.grid), blends=isinstance(file.wanted, Band)),
    }


def _href(source: Source) -> str | None:
    """Where the file lies. None for files of this machine, whose paths are nobody's business."""
    match source:
        case RemoteFile():
            return public_href(source.url)
        case S3File():
            return f"s3://{source.bucket}/{source.key}"
        case _:
            return None


def _item_href(scene: Scene) -> str | None:
    """Where the catalogue has the item, if it says so."""
    links = scene.item.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "self" and isinstance(link.get("href"), str):
            return public_href(link["href"])
    return None


def public_href(url: str) -> str | None:
    """Scheme, host and path of a URL: neither credentials nor query nor fragment. None if it is no URL of the web."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _WEB_SCHEMES or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
