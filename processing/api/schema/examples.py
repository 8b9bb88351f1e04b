"""The documented examples."""

from typing import Any

from astra import __version__

SCENE = "sentinel-2:S2B_MSIL2A_20250115T184929"
EARLIER_SCENE = "sentinel-2:S2B_MSIL2A_20240715T184929"

NDVI = {"operation": "ndvi", "scene_ids": [SCENE], "params": {"colormap": "rdylgn"}}
CHANGE_DETECTION = {
    "operation": "change_detection",
    "scene_ids": [EARLIER_SCENE, SCENE],
    "params": {"threshold": 0.15, "bands": ["red", "nir", "swir16"]},
}
JOB_ID = "job_4fVq2xTz9LmNc7RbKd3WaE"

QUEUED: dict[str, Any] = {
    "job_id": JOB_ID,
    "status": "queued",
    "operation": "ndvi",
    "scene_ids": [SCENE],
    "params": {
        "aoi": None,
        "cloud_mask": False,
        "mask_dilation": 60.0,
        "colormap": "rdylgn",
        "precision": "full",
    },
    "webhook_url": None,
    "webhook": None,
    "progress": 0,
    "attempt": 0,
    "queue_position": None,
    "eta_seconds": None,
    "retry": None,
    "created_at": "2025-01-15T19:00:00Z",
    "started_at": None,
    "completed_at": None,
    "duration_ms": None,
    "result": None,
    "warnings": [],
    "error": None,
}
FAILED: dict[str, Any] = {
    **QUEUED,
    "status": "failed",
    "attempt": 1,
    "started_at": "2025-01-15T19:00:01Z",
    "completed_at": "2025-01-15T19:00:03Z",
    "duration_ms": 3120,
    "error": {
        "code": "NO_VALID_PIXELS",
        "message": "No pixel of the result is valid. Take another scene or a larger aoi.",
        "details": {"retryable": False},
    },
}
COMPLETED: dict[str, Any] = {
    **QUEUED,
    "status": "completed",
    "progress": 100,
    "attempt": 1,
    "started_at": "2025-01-15T19:00:01Z",
    "completed_at": "2025-01-15T19:00:12Z",
    "duration_ms": 12340,
    "result": {
        "href": f"https://storage.astraos.cloud/jobs/{JOB_ID}/ndvi_output.tif?sig=...",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "expires_at": "2025-01-16T19:00:00Z",
        "expired": False,
        "file:size": 8388608,
        "file:checksum": "1220" + "26e0f2d4" * 8,
        "proj:code": "EPSG:32610",
        "proj:shape": [2048, 2048],
        "proj:transform": [10.0, 0.0, 540000.0, 0.0, -10.0, 4180000.0],
        "gsd": 10.0,
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[-122.55, 37.58], [-122.31, 37.58], [-122.31, 37.77], [-122.55, 37.58]]],
        },
        "bbox": [-122.55, 37.58, -122.31, 37.77],
        "bands": [{"description": "NDVI", "data_type": "uint8", "nodata": 0, "statistics": {"valid_percent": 91.6}}],
        "statistics": {
            "minimum": -0.49,
            "maximum": 0.93,
            "mean": 0.59,
            "stddev": 0.28,
            "histogram": {"count": 20, "min": -1.0, "max": 1.0, "buckets": [0] * 12 + [480_000] * 8},
            "valid_percent": 91.6,
        },
        "quality": {
            "sampled_pixels": 262144,
            "scenes": [
                {
                    "scene_id": SCENE,
                    "clear_percent": 95.2,
                    "clipped_percent": 0.0,
                    "saturated_percent": 0.0,
                    "darkest_red": 0.009,
                }
            ],
        },
        "notes": [],
        "provenance": {"scenes": [], "versions": {"astra": __version__}},
    },
}
