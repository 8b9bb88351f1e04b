"""What a result was made of and how, for the answer and for the file itself."""

import json
from collections.abc import Sequence
from typing import Any

from .radiometry.offset import processing_baseline
from .reading import OpenScene
from .types import RasterJob


def provenance(opened: OpenScene) -> dict[str, Any]:
    """One scene: its item, its bands and how their DN became reflectance."""
    return {
        "scene_id": str(opened.scene.id),
        "item": opened.scene.item_id,
        "collection": opened.scene.collection,
        "catalogue": opened.scene.catalogue,
        "datetime": opened.scene.properties.get("datetime"),
        "processing_baseline": processing_baseline(opened.scene),
        "bands": {name: band.provenance() for name, band in opened.bands.items()},
        "offset_check": opened.offset_check.provenance() if opened.offset_check else None,
        "mask": opened.mask.asset if opened.mask else None,
    }


def tags(job: RasterJob, scenes: Sequence[OpenScene], version: str) -> dict[str, str]:
    """What the file was made of and by, to stand in the file itself."""
    return {
        "TIFFTAG_SOFTWARE": f"ASTRA {version}".strip(),
        "ASTRA_OPERATION": job.operation,
        "ASTRA_SCENES": " ".join(str(opened.scene.id) for opened in scenes),
        "ASTRA_ITEMS": " ".join(opened.scene.item_id for opened in scenes),
        "ASTRA_DATETIMES": " ".join(str(opened.scene.properties.get("datetime")) for opened in scenes),
        "ASTRA_BANDS": " ".join(scenes[0].bands),
        "ASTRA_PARAMS": job.params.model_dump_json(),
        "ASTRA_PROVENANCE": json.dumps([provenance(opened) for opened in scenes]),
    }
