"""The jobs that are measured, as an API caller would ask for them."""

import sys
from pathlib import Path
from typing import Any

_BEFORE, _AFTER = "sentinel-2:S2B_MSIL2A_20240715T184929", "sentinel-2:S2B_MSIL2A_20250115T184929"
THRESHOLD = 0.15

JOBS: dict[str, dict[str, Any]] = {
    "ndvi": {"operation": "ndvi", "scene_ids": [_AFTER], "params": {}},
    "ndvi-palette": {"operation": "ndvi", "scene_ids": [_AFTER], "params": {"colormap": "rdylgn"}},
    "change": {"operation": "change_detection", "scene_ids": [_BEFORE, _AFTER], "params": {"threshold": THRESHOLD}},
    "change-swir16": {
        "operation": "change_detection",
        "scene_ids": [_BEFORE, _AFTER],
        "params": {"threshold": THRESHOLD, "bands": ["red", "nir", "swir16"], "mask_dilation": 0},
    },
}


def job_command(job: str, scenes: Path, *options: str | Path) -> list[str | Path]:
    """Runs one of `JOBS` in a process of its own, on the scenes in a sandbox folder."""
    return [sys.executable, "-m", "bench.job", job, "--scenes", scenes, *options]
